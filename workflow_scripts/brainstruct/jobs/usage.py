"""What a script says of itself when it is run by hand: its rules, what they read and write.

The rules are read as text, as Python reads the arguments of a call: Snakemake is
not needed for it, and no script has to repeat what its rule says.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from brainstruct.workflow.choose import Choose
from brainstruct.workflow.inputs import Inputs
from brainstruct.workflow.targets import Targets

ROOT = Path(__file__).parents[2]

_ROOMS: dict[str, type] = {"targets": Targets, "choose": Choose, "inputs": Inputs}
"""What rules call the objects they take their files from."""

_EXAMPLES = {
    "subject": "subj01",
    "participant": "01",
    "model": "instructblip",
    "instruction": "IC",
    "layer": "16",
    "block": "subj01-000",
    "owner": "shared",
    "index": "000",
    "checkpoint": "instructblip",
    "surface": "subj01",
}
"""A value of each wildcard."""


@dataclass(frozen=True)
class File:
    """What a rule reads or writes.

    Attributes
    ----------
    pattern : str or None
        Its name, with wildcards in braces; `None` if that depends on the job.
    meaning : str
        What it is.
    """

    pattern: str | None
    meaning: str

    def __str__(self) -> str:
        return f"{self.pattern}  {self.meaning}".rstrip() if self.pattern else self.meaning


@dataclass(frozen=True)
class Served:
    """A rule that a script serves.

    Attributes
    ----------
    name : str
        Of the rule; for what the configuration decides stand braces, or ``*``.
    file : str
        In which it stands.
    reads, writes : tuple of File
        Its inputs and outputs.
    """

    name: str
    file: str
    reads: tuple[File, ...]
    writes: tuple[File, ...]


def served_rules(script: str, root: Path = ROOT) -> list[Served]:
    """Find the rules that a script serves.

    Parameters
    ----------
    script : str
        Name of the script, without suffix.
    root : pathlib.Path
        The checkout.
    """
    named = f'"../workflow_scripts/{script}.py"'
    found = []
    for path in sorted((root / "rules").glob("*.smk")):
        for head, body in _rules(path.read_text(encoding="utf-8")):
            if named not in body:
                continue
            results = "results/demo" if path.stem == "synthetic" else "results"
            reads, writes = (_files(_section(body, key), results) for key in ("input", "output"))
            found.append(
                Served(head or _computed_name(body, script), f"rules/{path.name}", reads, writes)
            )
    return found


def usage(script: str, doc: str, root: Path = ROOT) -> str:
    """Return what ``--help`` prints for a script that Snakemake runs.

    Parameters
    ----------
    script : str
        Name of the script, without suffix.
    doc : str
        Its docstring: what it does.
    root : pathlib.Path
        The checkout.
    """
    lines = [f"workflow_scripts/{script}.py", *textwrap.wrap(doc.strip(), 88)]
    for rule in served_rules(script, root):
        lines += ["", f"{rule.name} ({rule.file})"]
        for title, files in (("reads", rule.reads), ("writes", rule.writes)):
            lines += [f"  {title}", *(f"    {file}" for file in files)] if files else []
        lines += ["  is run by, for instance,", f"    {example_command(rule)}"]
    lines += ["", "By itself this script does nothing: Snakemake gives it its files and settings."]
    lines += ["Add -n to see what would be done, --force to do it again."]
    return "\n".join(lines)


def example_command(rule: Served) -> str:
    """Return a command that runs a rule."""
    synthetic = rule.file.endswith("synthetic.smk")
    file = "config/demo.yaml" if synthetic else "config/local.yaml"
    return f".venv/bin/snakemake --configfile {file} --cores 4 {example_target(rule)}"


def example_target(rule: Served) -> str:
    """Return a file that a rule writes; if names depend on the configuration, the rule's own."""
    for file in rule.writes:
        if file.pattern is not None:
            return re.sub(
                r"\{(\w+)\}", lambda found: _EXAMPLES.get(found[1], found[0]), file.pattern
            )
    return rule.name.replace("{name}", "clip").replace("{subject}", "subj01")


def _rules(text: str) -> Iterator[tuple[str, str]]:
    """Split a file into rules: name (none if it is computed) and what is indented under it."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        head = re.match(r"( *)rule(?: (\w+))?:$", line)
        if head is None:
            continue
        body = []
        for inner in lines[number + 1 :]:
            if inner.strip() and not inner.startswith(f"{head[1]} "):
                break
            body.append(inner)
        yield head[2] or "", textwrap.dedent("\n".join(body))


def _section(body: str, key: str) -> str:
    """Return what is indented under a keyword of a rule."""
    found = re.search(rf"^{key}:\n((?: .*\n?|\n)*)", body, re.M)
    return textwrap.dedent(found[1]) if found else ""


def _computed_name(body: str, script: str) -> str:
    written = _section(body, "name").strip()
    if not written.startswith('f"'):
        return f"{script}*"
    return re.sub(r"\{(\w+)[^}]*\}", r"{\1}", written[2:-1])


def _files(section: str, results: str) -> tuple[File, ...]:
    """Read a rule's ``input`` or ``output`` as the arguments of a call."""
    call = ast.parse(f"f({section}\n)", mode="eval").body
    assert isinstance(call, ast.Call)
    found = (
        file
        for node in [*call.args, *(keyword.value for keyword in call.keywords)]
        for file in _resolved(node, results)
    )
    return tuple(dict.fromkeys(found))


def _resolved(node: ast.expr, results: str) -> Iterator[File]:
    if isinstance(node, ast.List | ast.Tuple):
        for element in node.elts:
            yield from _resolved(element, results)
    elif isinstance(node, ast.ListComp):
        yield from _resolved(node.elt, results)
    elif isinstance(node, ast.IfExp):
        yield from _resolved(node.body, results)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _resolved(node.args[0], results)  # report(...), directory(...)
    elif isinstance(node, ast.JoinedStr):
        yield File(ast.unparse(node).strip("f'\"").replace("{targets.root}", results), "")
    else:
        called = node.func if isinstance(node, ast.Call) else node
        if not isinstance(called, ast.Attribute) or not isinstance(called.value, ast.Name):
            yield File(None, f"as configured: {ast.unparse(node)}")
        elif called.attr != "check":  # nothing is read: the rule waits for a complaint
            yield _of_room(called.value.id, called.attr, node, results)


def _of_room(room: str, name: str, node: ast.expr, results: str) -> File:
    """Resolve ``targets.name(...)`` and its like: what it is, and what it is called."""
    member = inspect.getattr_static(_ROOMS[room], name)
    meaning = (inspect.getdoc(member) or "").split("\n")[0]
    meaning = meaning.rstrip(".").removeprefix("Return ").removeprefix("Build the name of ")
    meaning = meaning.replace("`", "")
    if room != "targets" or not inspect.isfunction(member) or not isinstance(node, ast.Call):
        return File(None, meaning)
    # What is not a constant is a wildcard, which is the default.
    given = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    named = {
        keyword.arg: keyword.value.value
        for keyword in node.keywords
        if keyword.arg is not None and isinstance(keyword.value, ast.Constant)
    }
    return File(getattr(_targets(results), name)(*given, **named), meaning)


def _targets(results: str) -> Any:
    data = SimpleNamespace(nsd_root="resources/demo/nsd")
    return Targets(SimpleNamespace(results=results, data=data))  # type: ignore[arg-type]
