"""What a process of a study does, told by its command line."""

import re
from collections.abc import Sequence


def role_of(words: Sequence[str]) -> str | None:
    """Return the script that a process runs, "snakemake", or None for any other process."""
    for word in words:
        if found := re.fullmatch(r".*/\.snakemake/scripts/tmp\w+\.(\w+)\.py", word):
            return found[1]
    if "snakemake" in words[1:4] or any(word.endswith("bin/snakemake") for word in words[:3]):
        return "snakemake"
    return None
