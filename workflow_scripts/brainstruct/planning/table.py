"""A plan as text."""

from __future__ import annotations

from brainstruct.planning.report import Plan


def plan_table(plan: Plan) -> str:
    """Return the table that is printed: rules, disk, and what does not fit."""
    rows = [["rule", "jobs", "to do", "GPU h", "core h", "memory GB", "asked GB", "from"]]
    for stage in plan.stages:
        estimate = "arithmetic" if stage.arithmetic else "file sizes"
        basis = f"{stage.measured} measured" if stage.measured else estimate
        hours = [_hours(stage.gpu_hours_to_do), _hours(stage.core_hours_to_do)]
        memory = [f"{stage.peak_memory_mb / 1e3:.1f}", f"{stage.asked_memory_mb / 1e3:.1f}"]
        rows.append([stage.rule, f"{stage.jobs:,}", f"{stage.to_do:,}", *hours, *memory, basis])
    hours = [_hours(plan.total(f"{kind}_hours_to_do")) for kind in ("gpu", "core")]
    counts = [f"{plan.total(field):,.0f}" for field in ("jobs", "to_do")]
    rows.append(["total", *counts, *hours, "", "", ""])
    parts = [f"Study {plan.study}: time and memory of the jobs that are to do", _aligned(rows)]
    disk = [["folder", "files", "in all", "there", "to come"]]
    for folder in plan.folders:
        sizes = (folder.whole_bytes, folder.stored_bytes, folder.bytes_to_come)
        disk.append([folder.folder, f"{folder.files:,}", *map(_size, sizes)])
    parts += ["Disk", _aligned(disk)]
    for volume in plan.volumes:
        verdict = "fits" if volume.fits else "DOES NOT FIT"
        parts.append(
            f"{volume.folder}: {_size(volume.needed_bytes)} to come, "
            f"{_size(volume.free_bytes)} free: {verdict}"
        )
    parts += [f"! {line}" for line in plan.warnings]
    return "\n\n".join(parts) + "\n"


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"


def _hours(hours: float) -> str:
    return f"{hours:,.1f}" if hours >= 10 or hours == 0 else f"{hours:.2f}"


def _aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)
