"""The lines and the table of docs/tour.md, from the code: ``python tests/tour.py`` writes them."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/tour.md"
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "tests/workflow")]

from parsing import parse

LIBRARY = {
    "average_subjects": ("encoding.subjects.subject_means", "tests/encoding/test_comparison.py"),
    "build_tiny_checkpoint": ("models.tiny.build", "tests/models/test_models_tiny.py"),
    "build_viewer": ("figures.viewer.build_viewer", "tests/figures/test_figures_viewer.py"),
    "check_nsd": ("nsd.check.require_nsd", "tests/nsd/test_nsd_blocks.py"),
    "collect_scores": ("encoding.stacking.stack_fits", "tests/encoding/test_stacking.py"),
    "compare": ("encoding.comparison.compare_groups", "tests/encoding/test_comparison.py"),
    "doctor": ("doctor.command.report", "tests/doctor/test_doctor_examination.py"),
    "draw_alignment_maps": ("figures.alignment_maps.draw_alignment_maps", "tests/figures/test_figures_maps.py"),
    "draw_concepts": ("figures.concepts.draw_concepts", "tests/figures/test_figures_maps.py"),
    "draw_instruction_rois": ("figures.instruction_rois.draw_instruction_rois", "tests/figures/test_figures_tables.py"),
    "draw_layer_profiles": ("figures.layer_profiles.draw_layer_profiles", "tests/figures/test_figures_tables.py"),
    "draw_model_scatter": ("figures.model_scatter.draw_model_scatter", "tests/figures/test_figures_scatter.py"),
    "draw_noise_ceiling": ("figures.noise_ceiling.draw_noise_ceiling", "?"),
    "draw_planted_recovered": ("figures.winners.draw_planted_recovered", "?"),
    "draw_roi_bars": ("figures.roi_bars.draw_roi_bars", "tests/figures/test_figures_tables.py"),
    "draw_shared_variance": ("figures.shared_variance.draw_shared_variance", "tests/figures/test_figures_shared_variance.py"),
    "draw_winning_instruction": ("figures.winners.draw_winning_instruction", "tests/figures/test_figures_flatmaps.py"),
    "draw_winning_layer": ("figures.winners.draw_winning_layer", "tests/figures/test_figures_flatmaps.py"),
    "embed": ("embedding.block.embed_block", "tests/embedding/test_embedding_block.py"),
    "estimate_ceiling": ("encoding.ceiling.ncsnr_ceiling", "tests/encoding/test_alignment.py"),
    "estimate_cross_subject": ("encoding.cross_subject.cross_subject_ceiling", "tests/encoding/test_cross_subject.py"),
    "export_study": ("exports.tables.copy_tables", "tests/workflow/test_exports.py"),
    "export_subject": ("exports.maps.model_maps", "tests/exports/test_exports_maps.py"),
    "fetch_checkpoint": ("models.fetch.fetch_from_hub", "tests/models/test_models_fetch.py"),
    "fetch_nsd": ("fetch.study.fetch_study", "tests/fetch/test_fetch_study.py"),
    "find_concepts": ("encoding.concepts.find_concepts", "tests/encoding/test_concepts.py"),
    "find_winners": ("encoding.alignment.find_winners", "tests/encoding/test_alignment.py"),
    "fit_ridge": ("encoding.fitting.choose_fit", "tests/encoding/test_preset.py"),
    "index_stimuli": ("nsd.stimuli.index_subject", "tests/faults/test_kinds_of_bad_input.py"),
    "join_tables": ("store.tables.read_table", "tests/store/test_arrays.py"),
    "list_block": ("nsd.blocks.block_images", "tests/nsd/test_nsd_blocks.py"),
    "list_viewers": ("figures.viewer_index.viewer_index", "tests/figures/test_figures_viewer.py"),
    "pack_surface": ("figures.viewer.pack_surface", "tests/figures/test_figures_viewer.py"),
    "partition_variance": ("encoding.partition.partition_pair", "tests/encoding/test_partition.py"),
    "plan": ("planning.plan.make_plan", "tests/planning/test_planning_plan.py"),
    "plant_features": ("models.straightforward.straightforward_states", "tests/models/test_models_response.py"),
    "predict_selected": ("encoding.selected.predict_selected", "tests/encoding/test_comparison.py"),
    "prepare_pycortex": ("figures.preparing.prepare_flatmaps", "tests/figures/test_figures_preparing.py"),
    "prepare_responses": ("nsd.responses.prepare_responses", "tests/nsd/test_nsd_responses.py"),
    "sample_anatomy": ("figures.anatomy.sample_anatomy", "tests/figures/test_figures_s1.py"),
    "show_responses": ("responses.page.responses_page", "tests/responses/test_responses_page.py"),
    "tabulate_comparisons": ("encoding.subjects.comparison_table", "tests/encoding/test_comparison.py"),
    "tabulate_partition": ("encoding.partition.partition_table", "tests/encoding/test_partition.py"),
    "tabulate_recovery": ("encoding.recovery.recovery_table", "tests/encoding/test_alignment.py"),
    "tabulate_responses": ("responses.table.collect_responses", "tests/responses/test_responses_table.py"),
    "tabulate_rois": ("encoding.summary.alignment_table", "tests/encoding/test_concepts.py"),
    "write_methods": ("methods.page.write_methods", "tests/methods/test_methods_page.py"),
    "write_synthetic_stimuli": ("nsd.synthetic.stimuli.write_stimuli", "tests/nsd/synthetic/test_synthetic_stimuli.py"),
    "write_synthetic_subject": ("nsd.synthetic.subjects.write_subject", "tests/nsd/synthetic/test_synthetic_subjects.py"),
}
"""Script -> the library's function that does its work, and a file of its tests."""

HEAD = "| Script and function | Rules in | Library | Tests | Writes |\n|---|---|---|---|---|\n"


def line_of(path: Path, name: str) -> int:
    """Line of a file that defines a name: a function, a class, a constant or a rule."""
    wanted = re.compile(rf"\s*(def|class|rule) {name}\b|{name}(:.*)? = ")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if wanted.match(line):
            return number
    raise LookupError(f"{path} does not define {name}")


def with_lines(text: str) -> str:
    """Put the right line into every link of the page."""

    def right(link: re.Match[str]) -> str:
        return f"[`{link[1]}`]({link[2]}#L{line_of(PAGE.parent / link[2], link[1])})"

    return re.sub(r"\[`(\w+)`\]\(([^)#]+)#L\d+\)", right, text)


def outputs() -> dict[str, tuple[str, str]]:
    """Script -> the file its rules stand in, and the first file that they write."""
    found: dict[str, tuple[str, str]] = {}
    for rule in [*parse(encoding={"layers_per_job": 1}), *parse("config/demo.yaml")]:
        if rule.script:
            place = Path(rule.snakefile).name
            written = re.sub(r",[^}]*\}", "}", str(rule.output[0])) if rule.output else ""
            found.setdefault(Path(rule.script).stem, (place, written))
    return found


def table() -> str:
    """Write the table of all rules."""
    rows = []
    for script, (place, written) in sorted(outputs().items()):
        function, tests = LIBRARY[script]
        shown = f"`{written}`" if written else "answers in the terminal"
        rows.append(f"| `{script}` | `{place}` | `{function}` | `{tests}` | {shown} |\n")
    return HEAD + "".join(rows)


def page() -> str:
    """Return the page as it should be."""
    text = PAGE.read_text(encoding="utf-8").partition(HEAD.splitlines()[0])[0]
    return with_lines(text) + table()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
