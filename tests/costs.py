"""The table of config/README.md that says what a change costs: ``python tests/costs.py`` writes it.

It is made from config/costs.toml, which tests hold against what Snakemake would record.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "config/README.md"
BEGIN, END = "<!-- made from costs.toml: make costs -->\n", "<!-- end -->\n"

TABLE: dict[str, dict[str, dict[str, Any]]] = tomllib.loads(
    (ROOT / "config/costs.toml").read_text(encoding="utf-8")
)
"""``settings``: setting of the demo -> another value (``other``), and scripts whose jobs run again
(``reruns``); or ``why`` it cannot be changed alone. ``files``: kind -> example and ``reruns``."""

DEAREST = {
    "embed": "GPU hours: embeddings, and all that follows",
    "fetch_checkpoint": "GPU hours: a checkpoint's embeddings, and all that follows",
    "list_block": "GPU hours: embeddings, and all that follows",
    "prepare_responses": "core hours: responses, fits, and all that follows",
    "fit_ridge": "core hours: fits, and all that follows",
    "partition_variance": "core hours: partitions, and what follows",
    "estimate_cross_subject": "core hours: ceilings, and what follows",
    "predict_selected": "core hours: predictions, and what follows",
    "": "minutes: tables, figures and exports",
}
"""Script -> what it costs that it runs again, the dearest first."""

MADE_UP = {"build_tiny_checkpoint", "plant_features", "sample_anatomy"}


def rows() -> dict[tuple[str, ...], list[str]]:
    """Scripts that run again -> the settings, or files, that make them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for kind in ("settings", "files"):
        for name, row in TABLE[kind].items():
            if "why" in row or name.startswith("synthetic."):
                continue
            real = [
                script
                for script in row["reruns"]
                if script not in MADE_UP and not script.startswith("write_synthetic")
            ]
            shown = f"`{name}`" if kind == "settings" else name
            shown = shown.replace(".0.", ".").replace(".instructblip.", ".").replace(".IC.", ".")
            found.setdefault(tuple(sorted(real)), []).append(shown)
    return found


def cost(scripts: tuple[str, ...]) -> str:
    """Say what it costs that scripts run again."""
    if not scripts:
        return "nothing"
    return next(said for script, said in DEAREST.items() if script in scripts or not script)


def table() -> str:
    """Return the table, the dearest first."""
    order = [*DEAREST.values(), "nothing"]
    lines = ["| Change | Cost | Jobs that run again by themselves |", "|---|---|---|"]
    for scripts, names in sorted(rows().items(), key=lambda row: order.index(cost(row[0]))):
        jobs = ", ".join(f"`{script}`" for script in scripts) or "none"
        lines.append(f"| {', '.join(names)} | {cost(scripts)} | {jobs} |")
    return "\n".join(lines) + "\n"


def with_table(text: str) -> str:
    """Put the table into the page."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
