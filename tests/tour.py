"""The lines and the table of docs/tour.md, from the code: ``python tests/tour.py`` writes them."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/tour.md"
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests/workflow")]

from parsing import parse, script_of  # noqa: E402

LIBRARY: dict[str, list[str]] = tomllib.loads((ROOT / "tests/tour.toml").read_text("utf-8"))
"""Script -> the library's function that does its work, and a file of its tests."""

HEAD = (
    "| Script and function | Rules in | Library | Tests | Writes first |\n|---|---|---|---|---|\n"
)


def line_of(path: Path, name: str) -> int:
    """Line of a file that defines a name: a function, a class, a constant or a rule."""
    wanted = re.compile(rf"\s*(def|class|rule) {name}\b|(    )?{name}(:.*)? = ")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if wanted.match(line):
            return number
    raise LookupError(f"{path} does not define {name}")


def with_lines(text: str) -> str:
    """Put the right line into every link of the page."""

    def right(link: re.Match[str]) -> str:
        return f"[`{link[1]}`]({link[2]}#L{line_of(PAGE.parent / link[2], link[1])})"

    return re.sub(r"\[`(\w+)`\]\(([^)#]+)#L\d+\)", right, text)


def outputs() -> dict[str, tuple[str, str]]:
    """Script -> the file its rules stand in, and the first file that they write."""
    found: dict[str, tuple[str, str]] = {}
    for rule in [*parse(encoding={"layers_per_job": 1}), *parse("config/demo.yaml")]:
        if rule.script:
            place = Path(rule.snakefile).name
            written = re.sub(r",[^}]*\}", "}", str(rule.output[0])) if rule.output else ""
            found.setdefault(script_of(rule), (place, written))
    return found


def table() -> str:
    """Write the table of all rules."""
    rows = []
    for script, (place, written) in sorted(outputs().items()):
        function, tests = LIBRARY[script]
        shown = f"`{written}`" if written else "no declared output"
        rows.append(f"| `{script}` | `{place}` | `{function}` | `{tests}` | {shown} |\n")
    return HEAD + "".join(rows)


def page() -> str:
    """Return the page as it should be."""
    text = PAGE.read_text(encoding="utf-8").partition(HEAD.splitlines()[0])[0]
    return with_lines(text) + table()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
