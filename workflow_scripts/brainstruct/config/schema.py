"""The JSON schema of the configuration, for editors.

``python -m brainstruct.config.schema`` (with ``workflow_scripts`` on the path)
prints it; ``make schema`` writes it to ``config/schema.json``.

Editors check one file at a time, and a user's file holds only what differs from
the others, so keys of blocks, which are merged, may be absent; those of entries
of lists, which are replaced as a whole, may not. What a key means is taken from
its block's docstring.
"""

from __future__ import annotations

import json
import re
from typing import Any

from brainstruct.config.study import Study

_ATTRIBUTE = re.compile(r"^(\w+(?:, \w+)*) : (.*)\n((?:    .*(?:\n|$))+)", re.M)


def schema_text() -> str:
    """Return the schema as indented JSON."""
    schema = Study.model_json_schema()
    blocks: dict[str, Any] = schema["$defs"]
    # Blocks that are entries of lists.
    listed = re.findall(r'"items": {"\$ref": "#/\$defs/(\w+)"', json.dumps(schema))
    for name, block in [("Study", schema), *blocks.items()]:
        if name not in listed:
            block.pop("required", None)
        _describe_keys(block)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def _describe_keys(block: dict[str, Any]) -> None:
    """Move what a docstring says of attributes to the keys themselves."""
    doc = block.get("description", "")
    block["description"] = doc.split("\n")[0]
    for names, _, text in _ATTRIBUTE.findall(doc):
        for name in names.split(", "):
            if name in block.get("properties", {}):
                block["properties"][name]["description"] = " ".join(text.split()).replace("``", "")


if __name__ == "__main__":
    print(schema_text(), end="")
