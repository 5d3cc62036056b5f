"""A plan as it is written to plan.json, whose schema the fields are, and as text."""

from brainstruct.settings.base import Block


class Assumptions(Block):
    """Rates and sizes behind an estimate; docs/plan.md says where each comes from."""

    gpu_tflops: float = 120.0  # that a large model reaches in half precision
    gpu_gb_per_s: float = 1200.0  # reading of weights while a GPU decodes
    gpu_fit_tflops: float = 10.0  # of fits; decompositions, in double precision, as fast
    cpu_gflops_per_thread: float = 90.0  # in single precision
    disk_mb_per_s: float = 400.0  # reading and writing of arrays
    weights_mb_per_s: float = 1000.0  # reading of weights, and moving to the device
    prompt_tokens: int = 30  # of an instruction and its template
    startup_s: float = 1.0
    torch_startup_s: float = 3.0  # of a job that imports torch
    cluster_startup_s: float = 3.0  # of Snakemake itself, twice, in each job of a cluster
    file_s: float = 0.04  # of a file that is opened and read
    voxels: int = 15_000  # of a mask whose size is not published
    voxel_bytes: int = 36  # beside a voxel's values: index, position, ncsnr
    file_bytes: int = 16_000  # labels and provenance of an array
    figure_bytes: int = 100_000  # and 32 a voxel where a subject's are shown
    pycortex_bytes: int = 79_000_000  # surfaces of a subject in the study's store
    packed_bytes: int = 32_000_000  # the same as browsers read them
    viewer_bytes: int = 10_000_000  # a page of interactive maps, without its maps
    export_files: int = 200  # maps of a subject and model, on two cortices; also the next two
    export_bytes: int = 20_000_000
    export_s: float = 3.0


class Stage(Block):
    """The jobs of one rule: times are hours times the GPUs or cores that they ask for."""

    rule: str  # as --until, -R and set-resources take it
    jobs: int
    to_do: int  # results are missing or out of date
    measured: int  # their record corrected the estimate
    arithmetic: bool  # else the estimate counts reading and writing alone
    gpu_hours: float
    core_hours: float
    gpu_hours_to_do: float
    core_hours_to_do: float
    peak_memory_mb: float  # that a job will hold
    asked_memory_mb: float  # at first


class Folder(Block):
    """A stage's files: where they lie, how many, their size when all are there and now."""

    folder: str
    files: int
    whole_bytes: int
    stored_bytes: int

    @property
    def bytes_to_come(self) -> int:
        """What is not there yet."""
        return max(0, self.whole_bytes - self.stored_bytes)


class Volume(Block):
    """A file system by a folder on it: what will be written, and what is free."""

    folder: str
    needed_bytes: int
    free_bytes: int

    @property
    def fits(self) -> bool:
        """Whether there is room."""
        return self.needed_bytes <= self.free_bytes


class Price(Block):
    """What something costs: hours times the GPUs or cores that jobs ask for, and disk."""

    what: str
    gpu_hours: float
    core_hours: float
    bytes: float


class Plan(Block):
    """What a study will take: stages in the order of the work, and disk."""

    study: str
    stages: list[Stage]
    folders: list[Folder]
    record_files: int = 0  # Snakemake's own of every output, logs and benchmarks
    volumes: list[Volume]
    warnings: list[str]
    one_more: list[Price] = []  # of each kind, of which there are some; and the exports
    cheaper: list[Price] = []  # the whole study, as it is and otherwise
    by_card: dict[str, float] = {}  # kind of GPU -> hours of embedding
    startup_core_hours_to_do: float = 0.0  # until the first line of each, among those of rules
    assumptions: Assumptions = Assumptions()

    def total(self, field: str) -> float:
        """Sum a field over all rules."""
        return float(sum(getattr(stage, field) for stage in self.stages))


def plan_table(plan: Plan) -> str:
    """Return the table that is printed: rules, disk, and what does not fit."""
    rows = [["rule", "jobs", "to do", "GPU h", "core h", "memory GB", "asked GB", "from"]]
    for stage in plan.stages:
        estimate = "arithmetic" if stage.arithmetic else "file sizes"
        basis = f"{stage.measured} measured" if stage.measured else estimate
        hours = [shown_hours(stage.gpu_hours_to_do), shown_hours(stage.core_hours_to_do)]
        memory = [f"{stage.peak_memory_mb / 1e3:.1f}", f"{stage.asked_memory_mb / 1e3:.1f}"]
        rows.append([stage.rule, f"{stage.jobs:,}", f"{stage.to_do:,}", *hours, *memory, basis])
    hours = [shown_hours(plan.total(f"{kind}_hours_to_do")) for kind in ("gpu", "core")]
    counts = [f"{plan.total(field):,.0f}" for field in ("jobs", "to_do")]
    rows.append(["total", *counts, *hours, "", "", ""])
    parts = [f"Study {plan.study}: time and memory of the jobs that are to do", _aligned(rows)]
    parts.append(
        f"{shown_hours(plan.startup_core_hours_to_do)} of these core hours are jobs that start; on "
        f"a cluster each starts Snakemake too ({plan.assumptions.cluster_startup_s:g} s), and waits"
    )
    parts.append(_elapsed(plan))
    disk = [["folder", "files", "in all", "there", "to come"]]
    for folder in plan.folders:
        sizes = (folder.whole_bytes, folder.stored_bytes, folder.bytes_to_come)
        disk.append([folder.folder, f"{folder.files:,}", *map(shown_size, sizes)])
    disk.append(["total", f"{sum(folder.files for folder in plan.folders):,}", "", "", ""])
    parts += ["Disk", _aligned(disk)]
    parts.append(f"Records, logs and benchmarks are {plan.record_files:,} small files more")
    for volume in plan.volumes:
        verdict = "fits" if volume.fits else "DOES NOT FIT"
        parts.append(
            f"{volume.folder}: {shown_size(volume.needed_bytes)} to come, "
            f"{shown_size(volume.free_bytes)} free: {verdict}"
        )
    for title, prices in (("One more", plan.one_more), ("The whole study", plan.cheaper)):
        if prices:
            header = [title, "GPU h", "core h", "disk"]
            parts.append(_aligned([header, *map(_priced, prices)]))
    if plan.by_card:
        rows = [[name, shown_hours(hours)] for name, hours in plan.by_card.items()]
        parts.append(_aligned([["Embedding, by arithmetic, on", "GPU h"], *rows]))
    parts += [f"! {line}" for line in plan.warnings]
    return "\n\n".join(parts) + "\n"


def _elapsed(plan: Plan) -> str:
    """Say how many days the work to do takes at best, by what there is to do it."""
    gpu, core = (plan.total(f"{kind}_hours_to_do") / 24 for kind in ("gpu", "core"))
    days = [
        f"{max(gpu / gpus, core / cores):.1f} on {cores} cores and {gpus} GPU{'s' * (gpus > 1)}"
        for gpus, cores in ((1, 16), (4, 64), (16, 256))
    ]
    return f"Days at best, all of them busy: {', '.join(days)}"


def _priced(price: Price) -> list[str]:
    hours = shown_hours(price.gpu_hours), shown_hours(price.core_hours)
    return [price.what, *hours, shown_size(price.bytes) if price.bytes else ""]


def shown_size(n_bytes: float) -> str:
    """Write a number of bytes for people."""
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:,.1f} MB"


def shown_hours(hours: float) -> str:
    """Write hours for people."""
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
