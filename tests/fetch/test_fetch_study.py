"""A study's files come from a local S3 server: all that are needed, once, and unharmed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from local_bucket import IN_PARTS, NAME, upload

from brainstruct.errors import InputError
from brainstruct.fetch import downloading
from brainstruct.fetch import study as fetching
from brainstruct.fetch.bucket import Bucket
from brainstruct.fetch.command import main
from brainstruct.fetch.study import fetch_study

BETAS = "nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"
NEEDED = {
    "nsddata/experiments/nsd/nsd_expdesign.mat",
    "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
    IN_PARTS,
    f"{BETAS}/betas_session01.hdf5",
    f"{BETAS}/betas_session02.hdf5",
    f"{BETAS}/ncsnr.nii.gz",
    "nsddata/ppdata/subj01/func1pt8mm/roi/nsdgeneral.nii.gz",
    "nsddata/ppdata/subj01/func1pt8mm/roi/floc-faces.nii.gz",
}
CAPTIONS = {
    f"nsddata_stimuli/stimuli/nsd/annotations/captions_{split}.json"
    for split in ("train2017", "val2017")
}


def fetch(served, root, *, verify=False, **changes):
    fetch_study(served.study(root, **changes), verify=verify)


def content(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def only_tables(names):
    return {name for name in names if name.endswith(".ctab")}


def test_the_study_s_files_come_and_no_others(served, tmp_path):
    fetch(served, tmp_path)
    found = content(tmp_path)
    assert set(found) - only_tables(found) == NEEDED | CAPTIONS
    assert found == {name: (served.original / name).read_bytes() for name in found}


def test_a_second_run_downloads_nothing(served, tmp_path):
    fetch(served, tmp_path)
    before = content(tmp_path)
    served.requests.clear()
    fetch(served, tmp_path)
    assert served.downloads == []
    assert content(tmp_path) == before


def test_what_is_needed_follows_the_configuration(served, tmp_path):
    fetch(
        served,
        tmp_path,
        subjects=["subj03"],
        data={"sessions": 1, "format": "nifti", "rois": ["streams", "floc-places"]},
        models=[
            {"key": "a", "label": "a", "family": "clip-text", "checkpoint": "clip", "n_layers": 13}
        ],
    )
    found = set(content(tmp_path))
    betas = BETAS.replace("subj01", "subj03")
    rois = "nsddata/ppdata/subj03/func1pt8mm/roi"
    assert found - only_tables(found) == CAPTIONS | {
        "nsddata/experiments/nsd/nsd_expdesign.mat",
        "nsddata/experiments/nsd/nsd_stim_info_merged.csv",
        f"{betas}/betas_session01.nii.gz",
        f"{betas}/ncsnr.nii.gz",
        *(f"{rois}/{name}.nii.gz" for name in ("nsdgeneral", "streams", "floc-places")),
    }


def test_no_captions_without_a_model_that_reads_them(served, tmp_path):
    vit = {"key": "v", "label": "v", "family": "vit", "checkpoint": "vit-h", "n_layers": 33}
    fetch(served, tmp_path, models=[vit])
    assert not CAPTIONS & set(content(tmp_path))


def test_the_format_on_disk_is_completed(served, tmp_path):
    first = tmp_path / BETAS / "betas_session01.nii.gz"
    first.parent.mkdir(parents=True)
    shutil.copy(served.original / BETAS / first.name, first)
    fetch(served, tmp_path)
    betas = {name for name in content(tmp_path) if "session" in name}
    assert betas == {f"{BETAS}/betas_session0{number}.nii.gz" for number in (1, 2)}


def test_an_interrupted_download_goes_on_where_it_stopped(served, tmp_path, monkeypatch):
    whole = (served.original / IN_PARTS).stat().st_size
    read = Bucket.read

    def killed(self, name, etag, start):
        for chunk in read(self, name, etag, start):
            if name == IN_PARTS:
                yield chunk[: whole // 2]
                raise KeyboardInterrupt
            yield chunk

    monkeypatch.setattr(Bucket, "read", killed)
    with pytest.raises(KeyboardInterrupt):
        fetch(served, tmp_path)
    assert not (tmp_path / IN_PARTS).exists()
    complete = {name for name in content(tmp_path) if not name.endswith(".part")}
    monkeypatch.setattr(Bucket, "read", read)
    served.requests.clear()
    fetch(served, tmp_path)
    spans = dict(served.downloads)
    assert spans[IN_PARTS] == f"bytes={whole // 2}-"
    assert not complete & set(spans)
    found = content(tmp_path)
    assert found == {name: (served.original / name).read_bytes() for name in found}


def test_a_corrupted_object_is_thrown_away_and_named(served, tmp_path, monkeypatch):
    read = Bucket.read
    spoilt = {IN_PARTS, f"{BETAS}/ncsnr.nii.gz"}

    def altered(self, name, etag, start):
        for chunk in read(self, name, etag, start):
            yield bytes([chunk[0] ^ 1]) + chunk[1:] if name in spoilt else chunk

    monkeypatch.setattr(Bucket, "read", altered)
    with pytest.raises(InputError, match="all others are in place") as caught:
        fetch(served, tmp_path)
    for name in spoilt:
        assert f"{tmp_path / name}: came with another content" in str(caught.value)
    found = set(content(tmp_path))
    assert not spoilt & found
    assert not any(name.endswith(".part") for name in found)
    assert found >= NEEDED - spoilt
    monkeypatch.setattr(Bucket, "read", read)
    served.requests.clear()
    fetch(served, tmp_path)
    assert {name for name, _ in served.downloads} == spoilt


def test_a_file_of_another_size_is_fetched_again(served, tmp_path):
    fetch(served, tmp_path)
    path = tmp_path / BETAS / "betas_session02.hdf5"
    path.write_bytes(path.read_bytes()[:1000])
    served.requests.clear()
    fetch(served, tmp_path)
    assert [name for name, _ in served.downloads] == [f"{BETAS}/betas_session02.hdf5"]
    assert path.read_bytes() == (served.original / BETAS / path.name).read_bytes()


def test_verify_reads_what_is_there(served, tmp_path):
    fetch(served, tmp_path)
    fetch(served, tmp_path, verify=True)
    path = tmp_path / IN_PARTS
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)
    with pytest.raises(InputError, match=r"nsd_stimuli\.hdf5: differs from the bucket's"):
        fetch(served, tmp_path, verify=True)


def test_missing_objects_are_all_named_and_the_others_come(served, tmp_path):
    with pytest.raises(InputError) as caught:
        fetch(served, tmp_path, data={"sessions": 3, "rois": ["floc-faces", "my-rois"]})
    message = str(caught.value)
    for name in ("betas_session03.hdf5: does not exist", "roi/my-rois.nii.gz: does not exist"):
        assert name in message
    assert "my-rois.mgz.ctab" not in message
    assert "40 sessions of subj01" in message
    assert "The data set has no my-rois" in message
    found = content(tmp_path)
    assert set(found) - only_tables(found) == NEEDED | CAPTIONS


def refused(monkeypatch, method, *names):
    """Let the bucket refuse something about objects, or folders, of these names."""
    known = getattr(Bucket, method)

    def refusing(self, key, *rest):
        if key.endswith(names):
            raise InputError(key, "is refused (403)", "Ask")
        return known(self, key, *rest)

    monkeypatch.setattr(Bucket, method, refusing)


@pytest.mark.parametrize("method", ["describe", "read"])
def test_what_is_refused_is_named_and_the_captions_are_unpacked(
    served, tmp_path, monkeypatch, method
):
    names = ("ncsnr.nii.gz", "betas_session02.hdf5")
    refused(monkeypatch, method, *names)
    with pytest.raises(InputError, match="2 faults") as caught:
        fetch(served, tmp_path)
    assert all(f"{name}: is refused (403)" in str(caught.value) for name in names)
    found = {name for name in content(tmp_path) if not name.endswith(".part")}
    lacking = {name for name in NEEDED if name.endswith(names)}
    assert set(found) - only_tables(found) == (NEEDED | CAPTIONS) - lacking


def test_a_folder_that_may_not_be_listed_is_named(served, tmp_path, monkeypatch):
    refused(monkeypatch, "sizes", "func1pt8mm/roi")
    with pytest.raises(InputError, match="func1pt8mm/roi: is refused") as caught:
        fetch(served, tmp_path)
    assert "does not exist" not in str(caught.value)
    found = content(tmp_path)
    assert {name for name in NEEDED if "/roi/" not in name} | CAPTIONS <= set(found)


def test_without_the_server_of_captions_all_else_comes(served, tmp_path):
    with pytest.raises(InputError, match=r"127\.0\.0\.1:9/none\.zip: cannot be reached"):
        fetch(served, tmp_path, fetch={"captions": "http://127.0.0.1:9/none.zip"})
    assert set(content(tmp_path)) >= NEEDED


def test_verify_goes_on_after_a_refusal(served, tmp_path, monkeypatch):
    fetch(served, tmp_path)
    (tmp_path / BETAS / "ncsnr.nii.gz").unlink()
    refused(monkeypatch, "describe", "nsd_expdesign.mat")
    with pytest.raises(InputError, match=r"\n  .*nsd_expdesign\.mat: is refused"):
        fetch(served, tmp_path, verify=True)
    assert set(content(tmp_path)) >= NEEDED


def test_a_mask_and_a_table_of_one_s_own_stay(served, tmp_path):
    folder = tmp_path / "nsddata/ppdata/subj01/func1pt8mm/roi"
    table = tmp_path / "nsddata/freesurfer/subj01/label/MTL.mgz.ctab"
    own = {folder / "my-mask.nii.gz", folder / "MTL.nii.gz", folder / "floc-faces.nii.gz", table}
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    served.requests.clear()
    fetch(served, tmp_path, data={"mask": "my-mask", "rois": ["MTL", "floc-faces"]})
    assert all(path.read_bytes() == b"mine" for path in own)
    asked = {key for _, key, _ in served.requests}
    assert not asked & {path.relative_to(tmp_path).as_posix() for path in own}


def test_the_bucket_or_server_is_not_there(served, tmp_path):
    with pytest.raises(InputError, match=r"s3://another/.*NoSuchBucket.*fetch\.bucket"):
        fetch(served, tmp_path, fetch={"bucket": "another"})


def test_the_disk_is_too_small(served, tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(downloading.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(InputError, match=r"are to come, and 1\.0 kB are free"):
        fetch(served, tmp_path)


def test_an_archive_without_the_captions(served, tmp_path):
    wrong = served.captions.replace("annotations.zip", "")
    with pytest.raises(InputError, match=r"annotations_trainval2017\.zip: is damaged"):
        fetch(served, tmp_path, fetch={"captions": wrong})


def test_an_archive_that_could_not_be_unpacked_does_not_come_again(served, tmp_path, monkeypatch):
    def full(layout):
        raise InputError("x.zip", "cannot be unpacked", "Mend this")

    with monkeypatch.context() as patch, pytest.raises(InputError, match="cannot be unpacked"):
        patch.setattr(fetching, "unpack_captions", full)
        fetch(served, tmp_path)
    monkeypatch.setattr(downloading, "fetch_file", lambda *_, **__: pytest.fail("downloaded again"))
    fetch(served, tmp_path)
    assert set(content(tmp_path)) - only_tables(content(tmp_path)) == NEEDED | CAPTIONS


def command(served, tmp_path, *arguments, accepted=False):
    config = served.config(tmp_path / "nsd")
    config["fetch"]["nsd_terms_accepted"] = accepted
    path = tmp_path / "local.yaml"
    path.write_text(
        yaml.safe_dump({key: config[key] for key in ("subjects", "data", "flatmaps", "fetch")})
    )
    return main(["--configfile", str(path), *arguments])


def test_the_terms_come_first(served, tmp_path, capsys):
    assert command(served, tmp_path) == 1
    said = capsys.readouterr().err
    assert "agreement" in said
    assert "--i-accept-the-nsd-terms" in said
    assert not (tmp_path / "nsd").exists()
    assert command(served, tmp_path, "--i-accept-the-nsd-terms") == 0
    assert set(content(tmp_path / "nsd")) >= NEEDED | CAPTIONS


def test_a_dry_run_lists_files_and_bytes(served, tmp_path, capsys):
    assert command(served, tmp_path, "--dry-run") == 0
    lines = capsys.readouterr().out.splitlines()
    listed = {line.split()[2]: line.split()[:2] for line in lines[:-3]}
    assert set(listed) - only_tables(listed) == NEEDED
    sizes = {name: (served.original / name).stat().st_size for name in listed}
    assert listed == {name: ["fetch", f"{size:,}"] for name, size in sizes.items()}
    assert f"to fetch: {len(listed)} files" in lines[-1]
    assert not (tmp_path / "nsd").exists()


def test_the_script_by_itself():
    script = Path(fetching.__file__).parents[2] / "fetch_nsd.py"
    done = subprocess.run(
        [sys.executable, str(script), "--help"], capture_output=True, text=True, check=True
    )
    assert "--dry-run" in done.stdout


def test_whole_checksums_are_used_where_the_server_has_them(served, tmp_path):
    name = "nsddata/ppdata/subj01/func1pt8mm/roi/nsdgeneral.nii.gz"
    upload(served.client, served.original / name, name, ChecksumAlgorithm="SHA256")
    try:
        remote = Bucket(served.study(tmp_path).fetch).describe(name)
        assert remote.sha256 is not None
        fetch(served, tmp_path)
    finally:
        upload(served.client, served.original / name, name)
    assert served.client.head_object(Bucket=NAME, Key=name)["ContentLength"] == remote.size
