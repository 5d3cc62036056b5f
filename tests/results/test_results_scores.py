"""Scores of a small study written by hand: two subjects, models of unlike layers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from brainstruct.encoding.alignment import find_winners
from brainstruct.errors import InputError
from brainstruct.results import load_scores, load_table, load_winners
from brainstruct.store.arrays import read_dataset, write_dataset
from brainstruct.store.tables import write_table
from ceilings import usable

LABELS = {"prf-visualrois": {"1": "V1v", "2": "V1d", "3": "V2v"}, "floc-bodies": {"1": "EBA"}}
NUMBERS = np.array([[1, 2, 3, 0, 0, 0], [0, 0, 0, 1, 1, 0]], np.int16)
MODELS = {
    "talker": (["IC", "VQ1"], [0, 1, 2]),
    "seer": (["none"], [0, 3]),
}
ALIGNMENT = {"ceiling": "ncsnr", "ceiling_threshold": 0.3, "layers": "best"}


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("results")
    random = np.random.default_rng(0)
    for subject, n in (("subj01", 6), ("subj02", 4)):
        places = {axis: ("voxel", random.integers(0, 50, n)) for axis in "ijk"}
        coords = {"voxel": np.arange(n), **places}
        ceiling = np.linspace(0.1, 0.9, n).astype(np.float32)
        space = xr.Dataset(
            {
                "ceiling_ncsnr": ("voxel", ceiling),
                "threshold_ncsnr": {"subj01": 0.5, "subj02": 0.7}[subject],
                "roi_label": (("roi", "voxel"), NUMBERS[:, :n]),
            },
            coords={**coords, "roi": list(LABELS), "ncsnr": ("voxel", ceiling)},
            attrs={"mask": "nsdgeneral", "roi_labels": json.dumps(LABELS)},
        )
        write_dataset(space, root / f"ceilings/{subject}.nc")
        for model, (instructions, layers) in MODELS.items():
            dims = ("instruction", "layer", "voxel")
            shape = (len(instructions), len(layers), n)
            scores = xr.Dataset(
                {
                    name: (dims, random.uniform(0, 0.5, shape).astype(np.float32))
                    for name in ("r", "r2", "cv_score", "alpha", "p")
                },
                coords={"instruction": instructions, "layer": layers, **coords},
                attrs={"n_test": 100},
            )
            write_dataset(scores, root / f"scores/{subject}/{model}.nc")
            found = find_winners(
                scores,
                usable(space["ceiling_ncsnr"], ALIGNMENT["ceiling_threshold"]),
                rule="best",
            )
            found["clear"] = found["layer"] > 0
            write_dataset(
                found, root / f"winners/{subject}/{model}.nc", provenance={"alignment": ALIGNMENT}
            )
    table = pd.DataFrame({"subject": ["subj01"], "model": ["talker"], "instruction": ["IC"]})
    write_table(table, root / "tables/alignment.tsv")
    return root


def stored(root, subject, model):
    return xr.open_dataset(root / f"scores/{subject}/{model}.nc", engine="h5netcdf")


def test_one_subject_and_model(root):
    found = load_scores(root, "subj01", "talker")
    assert found["r"].dims == ("instruction", "layer", "voxel")
    assert set(found.data_vars) == {"r", "cv_score", "p", "alignment", "ceiling", "ceiling_ncsnr"}
    with stored(root, "subj01", "talker") as file:
        np.testing.assert_array_equal(found["r"], file["r"])
        expected = file["r"].values / found["ceiling"].values
        np.testing.assert_array_equal(found["i"], file["i"])
    low = found["ceiling"].values < 0.3
    assert low.sum() == 2
    np.testing.assert_allclose(found["alignment"][..., ~low], expected[..., ~low])
    assert np.isnan(found["alignment"][..., low]).all()
    assert found["prf-visualrois"].values.tolist() == ["V1v", "V1d", "V2v", "", "", ""]
    assert (found["subject"] == "subj01").all()
    assert found.attrs["layer_rule"] == "best"
    assert (found.attrs["ceiling"], found.attrs["threshold"]) == ("ncsnr", 0.3)


@pytest.mark.parametrize(
    ("roi", "voxels"),
    [
        ("EBA", [3, 4]),
        ("V1", [0, 1]),
        ("V1d", [1]),
        ("prf-visualrois", [0, 1, 2]),
        (["V2", "EBA"], [2, 3, 4]),
        ("nsdgeneral", range(6)),
    ],
)
def test_regions_are_labels_parts_or_families(root, roi, voxels):
    found = load_scores(root, "subj01", "talker", roi, variables=["r"], normalised=False)
    assert found["voxel"].values.tolist() == list(voxels)
    assert "alignment" not in found


def test_subjects_follow_each_other_and_models_lie_beside(root):
    found = load_scores(root)
    assert dict(found.sizes) == {"model": 2, "instruction": 3, "layer": 4, "voxel": 10}
    assert found["subject"].values.tolist() == ["subj01"] * 6 + ["subj02"] * 4
    assert found["layer"].values.tolist() == [0, 1, 2, 3]
    for subject in ("subj01", "subj02"):
        for model, (instructions, layers) in MODELS.items():
            here = found.sel(model=model).isel(voxel=(found["subject"] == subject).values)
            with stored(root, subject, model) as file:
                part = here["r"].sel(instruction=instructions, layer=layers)
                np.testing.assert_array_equal(part, file["r"])
    assert np.isnan(found["r"].sel(model="seer", instruction="IC")).all()
    assert found["ceiling"].dims == ("voxel",)


def test_what_one_model_lacks_another_may_have(root):
    found = load_scores(root, "subj01", ["talker", "seer"], instruction="IC", layer=1)
    assert dict(found.sizes) == {"model": 2, "instruction": 1, "layer": 1, "voxel": 6}
    assert found["r"].sel(model="talker").notnull().all()
    assert np.isnan(found["r"].sel(model="seer")).all()


def test_another_threshold_is_mine_to_choose(root):
    found = load_scores(root, "subj01", "talker", threshold=0.0, variables=["p"])
    assert found["alignment"].notnull().all()
    assert "r" not in found
    assert found.attrs["threshold"] == 0.0


def test_each_subject_has_the_threshold_of_its_own_silent_voxels(root):
    found = load_scores(root, model="talker", threshold="auto", variables=["p"])
    least = np.where(found["subject"] == "subj01", 0.5, 0.7)
    expected = found["ceiling"].values >= least
    assert 0 < expected.sum() < 10
    np.testing.assert_array_equal(
        found["alignment"].notnull().all(["instruction", "layer"]), expected
    )
    assert found.attrs["threshold"] == "auto"
    assert "threshold_ncsnr" not in found


def test_a_ceiling_of_zero_gives_no_alignment_at_any_threshold(root, tmp_path):
    shutil.copytree(root, tmp_path / "results")
    path = tmp_path / "results/ceilings/subj01.nc"
    space = read_dataset(path)
    space["ceiling_ncsnr"][1] = 0
    write_dataset(space, path)
    found = load_scores(tmp_path / "results", "subj01", "talker", threshold=0)
    assert np.isnan(found["alignment"][..., 1]).all()
    assert np.isfinite(found["alignment"].isel(voxel=[0, 2, 3, 4, 5])).all()


def test_a_label_of_two_families_needs_its_family(root, tmp_path):
    shutil.copytree(root, tmp_path / "results")
    for subject in ("subj01", "subj02"):
        path = tmp_path / f"results/ceilings/{subject}.nc"
        space = read_dataset(path)
        names = LABELS | {"floc-bodies": {"1": "V1v", "2": "V1d"}}
        space.attrs["roi_labels"] = json.dumps(names)
        write_dataset(space, path)

    def voxels(roi):
        return load_scores(tmp_path / "results", "subj01", "talker", roi)["voxel"].values.tolist()

    assert voxels("prf-visualrois/V1v") == [0]
    assert voxels("prf-visualrois/V1") == [0, 1]
    assert voxels(["prf-visualrois/V1v", "floc-bodies/V1"]) == [0, 3, 4]
    assert voxels("V2") == [2], "one family has it"
    # No voxel of floc-bodies is V1d, in these subjects: it could be in others.
    for roi in ("V1v", "V1", "V1d"):
        with pytest.raises(InputError, match=f"several families.*floc-bodies/{roi}"):
            voxels(roi)
    with pytest.raises(InputError, match="no voxel in 'floc-bodies/V1d'"):
        voxels("floc-bodies/V1d")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"subject": "subj05"}, "no subject 'subj05'.*it has subj01, subj02"),
        ({"model": "talkr"}, "did you mean 'talker'"),
        ({"roi": "FFA"}, "no voxel in 'FFA'.*V1, V1d, V1v, V2v|no voxel in 'FFA'.*nsdgeneral"),
        ({"instruction": "SR"}, "no instruction SR .it has none, IC, VQ1"),
        ({"model": "seer", "layer": 1}, "no layer 1 .it has 0, 3"),
        ({"ceiling": "cross_subject"}, "no ceiling 'cross_subject' .it has ncsnr"),
        ({"subject": []}, "asked for no subject"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(root, asked, words):
    with pytest.raises(InputError, match=words):
        load_scores(root, **asked)


def test_a_wrong_folder_is_named(root, tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        load_scores(tmp_path / "none")
    with pytest.raises(InputError, match=r"holds no scores.*snakemake"):
        load_scores(tmp_path)
    (tmp_path / "demo").symlink_to(root)
    with pytest.raises(InputError, match="folders in it do: demo"):
        load_scores(tmp_path)


def test_winners_by_name(root):
    found = load_winners(root, "subj01", "talker", "prf-visualrois")
    index = xr.open_dataset(root / "winners/subj01/talker.nc")["instruction_index"].values[:3]
    assert found["winner"].values.tolist() == [["IC", "VQ1", ""][place] for place in index]
    assert "" in found["winner"].values
    assert found["alignment_by_instruction"].dims == ("instruction", "voxel")


def test_tables_come_with_their_dictionary(root):
    table = load_table(root, "alignment")
    assert set(table.attrs["columns"]) == set(table.columns)
    assert "data set" in table.attrs["columns"]["subject"]["Description"]
    with pytest.raises(InputError, match="did you mean 'alignment'"):
        load_table(root, "alignmnt")


def test_neither_snakemake_nor_the_configuration_is_needed(root):
    forbidden = ("snakemake", "pydantic", "yaml", "torch", "himalaya", "matplotlib", "nibabel")
    probe = (
        "import sys\n"
        "from brainstruct.results import load_scores\n"
        f"load_scores({str(root)!r}, 'subj01', 'talker', 'EBA')\n"
        f"print([name for name in {forbidden!r} if name in sys.modules])"
    )
    package = Path(__file__).parents[2] / "workflow_scripts"
    done = subprocess.run(
        [sys.executable, "-c", probe],
        env=os.environ | {"PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
