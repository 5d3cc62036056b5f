"""A finished study, as others get it: a dataset, dictionaries of its tables, a notebook."""

from __future__ import annotations

import json

import nbformat
import nibabel
import numpy as np
import pytest
from checkout import REPOSITORY, SMALL
from nbclient import NotebookClient
from nilearn.image import load_img
from nilearn.surface import load_surf_data

from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.surfaces import write_mgz
from brainstruct.datasets.nsd.transforms import FSAVERAGE_VERTICES
from brainstruct.dictionary.describe import describe
from brainstruct.results import load_models, load_scores, load_winners
from brainstruct.store.tables import read_table
from nsd_folder import write_fsaverage_index

pytestmark = pytest.mark.study

RESULTS = "results/small"
NAME = "sub-01_task-nsdcore"
VOLUME = f"{NAME}_space-func1pt8mm"


@pytest.fixture(scope="module")
def exported(finished, tmp_path_factory):
    """A copy of the finished study with its exports."""
    checkout = finished.copy(tmp_path_factory.mktemp("exported") / "checkout")
    done = checkout.run("exports", *SMALL)
    assert "export_subject" in done.text
    return checkout


@pytest.fixture(scope="module")
def results(exported):
    return exported.root / RESULTS


@pytest.fixture(scope="module")
def func(results):
    return results / "derivatives/sub-01/func"


def test_exports_are_no_part_of_all_and_stay_done(exported):
    assert exported.run("-n", *SMALL).jobs == {}
    assert exported.run("-n", "exports", *SMALL).jobs == {}


def test_volumes_hold_the_scores_where_the_nsd_has_its_voxels(exported, results, func):
    nsd = exported.root / "resources/small/nsd/nsddata/ppdata/subj01/func1pt8mm/roi"
    affine = nibabel.load(nsd / "nsdgeneral.nii.gz").affine
    for path in func.glob(f"{VOLUME}_*.nii.gz"):
        image = load_img(path)
        np.testing.assert_array_equal(image.affine, affine)
        assert json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
    scores = load_scores(results, "subj01", "instructblip")
    best = scores["cv_score"].argmax("layer")
    place = tuple(scores[axis].values for axis in "ijk")
    for stat, name in {"alignment": "alignment", "r": "r", "p": "p"}.items():
        expected = scores[name].isel(layer=best).where(scores["alignment"].notnull().all("layer"))
        path = func / f"{VOLUME}_stat-{stat}_desc-instructblipByInstruction_statmap.nii.gz"
        image = load_img(path).get_fdata()
        expected = expected.transpose("instruction", "voxel")
        # p is tested again, of the predictions that were stored in half precision.
        np.testing.assert_allclose(image[place].T, expected, rtol=0.05 if stat == "p" else 1e-6)
        assert np.isfinite(image).sum() == np.isfinite(expected).sum()


def test_winners_agree_with_their_table_on_both_kinds_of_map(results, func):
    winners = load_winners(results, "subj01", "instructblip")
    place = tuple(winners[axis].values for axis in "ijk")
    name = "desc-instructblipWinningInstruction_dseg"
    table = read_table(func / f"{VOLUME}_{name}.tsv").set_index("index")["name"]
    image = nibabel.load(func / f"{VOLUME}_{name}.nii.gz").get_fdata().astype(int)
    sure = winners["clear"] | (winners["winner"] == "")
    shown = winners["winner"].where(sure, "no clear winner").values.tolist()
    assert [table.get(index, "") for index in image[place]] == shown
    for side in "LR":
        path = func / f"{NAME}_hemi-{side}_space-S1_{name}.label.gii"
        names = nibabel.load(path).labeltable.get_labels_as_dict()
        assert names == {0: "none", **table.to_dict()}
        # pycortex's S1; each hemisphere has most of a hundred and fifty thousand vertices.
        labels = load_surf_data(path)
        assert labels.size > 100_000
        assert set(np.unique(labels)) <= {0, *table.index}
        alignment = load_surf_data(
            func
            / f"{NAME}_hemi-{side}_space-S1_stat-alignment_desc-instructblipWinner_statmap.func.gii"
        )
        np.testing.assert_array_equal(np.isfinite(alignment), labels > 0)


def test_the_data_sets_own_transforms_come_first(exported, tmp_path):
    from brainstruct.figures.fsaverage import load_fsaverage5

    checkout = exported.copy(tmp_path / "checkout")
    results = checkout.root / RESULTS
    scores = load_winners(results, "subj01", "instructblip")
    layout = Layout(checkout.root / "resources/small/nsd")
    place = np.stack([scores[axis].values for axis in "ijk"], axis=1)
    # Every vertex lies in one voxel of the mask, at all depths.
    random = np.random.default_rng(0)
    at = {}
    for half in load_fsaverage5():
        centres = place[random.integers(len(place), size=len(half.white))]
        for path in layout.depth_files("subj01", half.side):
            write_mgz(path, centres + random.uniform(-0.4, 0.4, centres.shape) + 1)
        index = random.permutation(len(centres))
        write_fsaverage_index(layout, "subj01", half.side, index)
        at[half.side[0].upper()] = centres, index

    assert set(checkout.run("-n", "exports", *SMALL).jobs) == {
        "exports",
        "export_study",
        "export_subject",
    }
    checkout.run("exports", *SMALL)
    func = results / "derivatives/sub-01/func"
    assert not list(func.glob("*space-S1*"))
    stat = "stat-alignment_desc-instructblipWinner_statmap"
    volume = nibabel.load(func / f"{VOLUME}_{stat}.nii.gz").get_fdata()
    for side, (centres, index) in at.items():
        names = f"{NAME}_hemi-{side}_space-"
        native = load_surf_data(func / f"{names}fsnative_{stat}.func.gii")
        np.testing.assert_allclose(native, volume[tuple(centres.T)], rtol=1e-6)
        assert np.isfinite(native).any()
        average = load_surf_data(func / f"{names}fsaverage_den-164k_{stat}.func.gii")
        assert average.size == FSAVERAGE_VERTICES
        np.testing.assert_array_equal(average[: index.size], native[index])


def test_every_table_of_the_study_has_a_complete_dictionary(results):
    paths = [path.relative_to(results) for path in sorted(results.rglob("*.tsv"))]
    names = [path for path in paths if path.parts[0] not in ("benchmarks", "derivatives")]
    assert len(names) > 25
    for name in names:
        columns = read_table(results / name, nrows=0).columns
        for entry in describe(name.as_posix(), columns).values():
            assert entry["Description"].endswith((".", ";")), (name, entry)
    copied = sorted((results / "derivatives/tables").rglob("*.tsv"))
    assert len(copied) == len(list((results / "tables").rglob("*.tsv")))
    for path in [*copied, results / "derivatives/participants.tsv"]:
        entries = json.loads(path.with_suffix(".json").read_text())
        assert set(entries) == set(read_table(path, nrows=0).columns)


def test_the_dataset_says_what_it_is(exported, results):
    folder = results / "derivatives"
    described = json.loads((folder / "dataset_description.json").read_text())
    assert described["DatasetType"] == "derivative"
    assert described["GeneratedBy"][0]["Name"] == "brainstruct"
    # Nothing was measured here: no source is claimed, and no licence for anybody.
    assert "synthetic" in described["Name"]
    assert not {"License", "SourceDatasets"} & set(described)
    texts = [path.read_text() for path in folder.rglob("*") if path.suffix in (".json", ".md")]
    assert not [text for text in texts if str(exported.root) in text]
    assert "pycortex subject S1" in (folder / "README.md").read_text()
    assert load_models(results).loc["idefics-random", "random"]


def test_the_notebook_answers_for_any_study(exported, monkeypatch):
    monkeypatch.setenv("BRAINSTRUCT_RESULTS", str(exported.root / RESULTS))
    notebook = nbformat.read(REPOSITORY / "docs/results.ipynb", as_version=4)
    folder = {"metadata": {"path": str(exported.root)}}
    NotebookClient(notebook, timeout=120, resources=folder).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 4
    printed = "".join(output.get("text", "") for output in outputs)
    # IU1 drives the brain here, through instructblip.
    assert "instructblip - idefics-random: better in nsdgeneral" in printed
