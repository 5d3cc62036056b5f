"""Where things lie, and what they are called in the ledger: names that moving does not change."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from brainstruct.config.study import Study

RESULTS = "<results>"


@dataclass(frozen=True)
class Places:
    """Folders and files that the configuration may name otherwise when they were moved."""

    root: str  # of the results
    others: dict[str, str] = field(default_factory=dict)  # name -> path

    @classmethod
    def of(cls, study: Study) -> Self:
        """Collect the paths that a configuration names."""
        inside = {place: path for place, path in study.paths.items() if len(place) > 1 and path}
        named = {f"<{'.'.join(place)}>": path for place, path in inside.items()}
        if ":" in study.dataset.origin:
            named["<data.dataset>"] = study.dataset.origin.rpartition(":")[0]
        return cls(study.results.rstrip("/"), {k: v.rstrip("/") for k, v in named.items()})

    @cached_property
    def _deepest_first(self) -> list[tuple[str, str]]:
        return sorted(self.others.items(), key=lambda pair: (-len(pair[1]), pair[0]))

    def name(self, path: str) -> str:
        """Return what a file is called: results by their place below their folder."""
        if path.startswith(f"{self.root}/"):
            return path[len(self.root) + 1 :]
        for name, place in self._deepest_first:
            if path == place or path.startswith(f"{place}/"):
                return name + path[len(place) :]
        return path

    def path(self, name: str) -> str:
        """Return where a file is now; undoes `name`."""
        if name.startswith("<"):
            place, closed, rest = name.partition(">")
            known = self.others.get(place + closed)
            return name if known is None else known + rest
        return name if name.startswith("/") else f"{self.root}/{name}"

    def names_in(self, value: str) -> str:
        """Put names for paths in a value as Python writes it."""
        for name, place in [*self._deepest_first, (RESULTS, self.root)]:
            value = re.sub(rf"(?<=['\"]){re.escape(place)}(?=[/'\":])", name, value)
        return value

    def paths_in(self, value: str) -> str:
        """Put paths for names; undoes `names_in`."""
        for name, place in [*self.others.items(), (RESULTS, self.root)]:
            value = value.replace(f"'{name}", f"'{place}").replace(f'"{name}', f'"{place}')
        return value
