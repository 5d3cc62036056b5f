"""One change of one place in a file of the library."""

from __future__ import annotations

import ast
import difflib
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """Bytes `start` to `end` of a file are replaced; all the rest stays as it is.

    `file` is below workflow_scripts. `scope` names the function the place lies in, and is empty
    for what is run when the module is imported. `first` and `last` are lines.
    """

    file: str
    start: int
    end: int
    new: str
    kind: str
    scope: str
    first: int
    last: int

    def put_into(self, source: bytes) -> bytes:
        return source[: self.start] + self.new.encode() + source[self.end :]

    def difference(self, source: bytes) -> str:
        """Return the changed lines, as a diff without its head."""
        texts = (one.decode().splitlines() for one in (source, self.put_into(source)))
        lines = list(difflib.unified_diff(*texts, lineterm="", n=0))
        return "\n".join(lines[3:])

    def name(self, source: bytes) -> str:
        """Return a name that an edit elsewhere in the file leaves as it is."""
        before = source[: self.start].rpartition(b"\n")[2]
        after = source[self.end :].partition(b"\n")[0]
        parts = [self.file, self.scope, self.kind, before, source[self.start : self.end]]
        parts += [self.new, after]
        text = "\0".join(part.decode() if isinstance(part, bytes) else part for part in parts)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


class Source:
    """A file's text, its tree, and the bytes that a node takes."""

    def __init__(self, file: str, content: bytes) -> None:
        self.file, self.content = file, content
        self.tree = ast.parse(content)
        self._lines = [0]
        for line in content.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def start(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> int:
        return self._lines[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> int:
        return self._lines[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt | ast.arg | ast.keyword) -> str:
        return self.between(self.start(node), self.end(node))

    def between(self, start: int, end: int) -> str:
        return self.content[start:end].decode()
