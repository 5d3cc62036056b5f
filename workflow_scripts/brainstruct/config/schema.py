"""The JSON schema of the configuration, for editors.

``python -m brainstruct.config.schema`` (with ``workflow_scripts`` on the path)
prints it; ``make schema`` writes it to ``config/schema.json``.
"""

from __future__ import annotations

import json

from brainstruct.config.study import Study


def schema_text() -> str:
    """Return the schema as indented JSON."""
    return json.dumps(Study.model_json_schema(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
