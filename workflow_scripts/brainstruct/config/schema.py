"""The JSON schema of the configuration, for editors.

``python -m brainstruct.config.schema`` (with ``workflow_scripts`` on the path)
prints it; ``make schema`` writes it to ``config/schema.json``.

Editors check one file at a time, and a user's file holds only what differs from
the others, so keys of blocks, which are merged, may be absent; those of entries
of lists, which are replaced as a whole, may not. What a key means is taken from
its block's docstring.
"""

import inspect
import json
import re
from collections.abc import Iterator
from typing import Any

from brainstruct.config.study import Study
from brainstruct.settings.base import Block

_ATTRIBUTE = re.compile(r"^(\w+(?:, \w+)*) : (.*)\n((?:    .*(?:\n|$))+)", re.M)


def schema_text() -> str:
    """Return the schema as indented JSON."""
    schema = Study.model_json_schema()
    blocks: dict[str, Any] = schema["$defs"]
    # Blocks that are entries of lists.
    listed = re.findall(r'"items": {"\$ref": "#/\$defs/(\w+)"', json.dumps(schema))
    known = {block.__name__: block for block in _all(Block)}
    for name, block in [("Study", schema), *blocks.items()]:
        if name not in listed:
            block.pop("required", None)
        _describe_keys(block, known[name])
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _all(block: type[Block]) -> Iterator[type[Block]]:
    """Iterate over the blocks there are."""
    for inner in block.__subclasses__():
        yield inner
        yield from _all(inner)


def _describe_keys(block: dict[str, Any], source: type[Block]) -> None:
    """Move what docstrings of a block, and of those it extends, say of attributes to the keys."""
    block["description"] = (inspect.getdoc(source) or "").split("\n")[0]
    for base in source.__mro__:
        for names, _, text in _ATTRIBUTE.findall(inspect.cleandoc(base.__doc__ or "")):
            for name in names.split(", "):
                if name in block.get("properties", {}):
                    said = " ".join(text.split()).replace("``", "")
                    block["properties"][name]["description"] = said


if __name__ == "__main__":
    print(schema_text(), end="")
