"""A revision of a hosted workflow is unpacked once, whole, and by one of several runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import GenericSourceFile

from brainstruct.workflow.hosted import PARTS, _publish, unpack


def git(folder, *arguments):
    who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path):
    """A bare clone of two revisions, the first of which is tagged v1."""
    root = tmp_path / "repository"
    for part in PARTS[1:]:
        (root / part).mkdir(parents=True)
        (root / part / "file.txt").write_text("one\n")
    (root / "Snakefile").write_text("# one\n")
    (root / "tests").mkdir()
    (root / "tests" / "test.py").write_text("\n")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=One")
    git(root, "tag", "--annotate", "--message=One", "v1")
    (root / "Snakefile").write_text("# two\n")
    git(root, "commit", "--quiet", "--all", "--message=Two")
    git(tmp_path, "clone", "--quiet", "--bare", str(root), "bare")
    return tmp_path / "bare"


def folder(repository, ref):
    """The top folder of a hosted revision, as far as it is looked at."""
    clone = SimpleNamespace(repo=SimpleNamespace(git_dir=str(repository)))
    return SimpleNamespace(hosted_repo=clone, ref=ref)


def test_the_revision_is_unpacked_once(repository, tmp_path):
    cache = tmp_path / "cache"
    home = unpack(folder(repository, "v1"), cache)
    assert home == str(cache / "brainstruct" / git(repository, "rev-parse", "v1^{commit}"))
    found = {path.name: path for path in (cache / "brainstruct").glob("*/*")}
    assert set(found) == set(PARTS), "tests stay behind, and nothing is left over"
    assert found["Snakefile"].read_text() == "# one\n"
    assert not (repository / "index").exists(), "the clone is left as it was"
    found["Snakefile"].write_text("# kept\n")
    assert unpack(folder(repository, "v1"), cache) == home
    assert found["Snakefile"].read_text() == "# kept\n"


def test_revisions_lie_side_by_side(repository, tmp_path):
    homes = [unpack(folder(repository, ref), tmp_path) for ref in ("v1", "HEAD")]
    assert [Path(home, "Snakefile").read_text() for home in homes] == ["# one\n", "# two\n"]


def test_a_run_that_comes_second_uses_what_the_first_unpacked(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Snakefile").write_text(name)
        _publish(tmp_path / name, tmp_path / "home")
    assert (tmp_path / "home" / "Snakefile").read_text() == "first"
    assert not (tmp_path / "second").exists()


def test_an_unknown_revision_is_one_line(repository, tmp_path):
    with pytest.raises(WorkflowError, match="git cannot show") as caught:
        unpack(folder(repository, "v2"), tmp_path / "cache")
    assert "\n" not in str(caught.value)


def test_single_files_from_a_web_server_are_refused(tmp_path):
    with pytest.raises(WorkflowError, match="single files cannot be used as a module"):
        unpack(GenericSourceFile("https://example.org/Snakefile"), tmp_path)
