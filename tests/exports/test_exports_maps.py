"""Maps as other tools see them, voxel by voxel and vertex by vertex."""

from __future__ import annotations

import json

import nibabel
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from made_up_scores import INSTRUCTIONS, LAYERS, SHAPE, THRESHOLD
from nilearn.image import load_img
from nilearn.maskers import NiftiLabelsMasker
from nilearn.surface import load_surf_data

from brainstruct.datasets.nsd.transforms import read_depths
from brainstruct.encoding.alignment import select_layers
from brainstruct.encoding.significance import significant
from brainstruct.exports.maps import model_maps, subject_maps
from brainstruct.exports.sidecars import subject_facts
from brainstruct.exports.subject import SubjectFolder
from brainstruct.exports.surfaces import own_cortices
from brainstruct.figures.style import NO_WINNER, instruction_colours, layer_colours
from ceilings import usable
from nsd_study import open_nsd

SPACE = "task-nsdcore_space-func1pt8mm"


def maps_of(scores, winners, space, **changes):
    options = {
        "name": "someModel",
        "rule": "best",
        "instructions": INSTRUCTIONS,
        "colours": instruction_colours(list(INSTRUCTIONS)) | NO_WINNER,
        "layer_colours": layer_colours(6),
    }
    chance = chance_of(scores)
    ceiling = usable(space["ceiling_ncsnr"], THRESHOLD)
    return list(model_maps(scores, winners, chance, ceiling, **options | changes))


def chance_of(scores):
    """Made-up p of every instruction and of their mean, beside draws too many for voxels each."""
    names = [*scores["instruction"].values, "mean"]
    p = np.random.default_rng(3).uniform(0, 0.2, (len(names), scores.sizes["voxel"])) ** 2
    dims = ("instruction", "voxel")
    draws = np.broadcast_to(np.float32(0), (len(names), 10**6, 10**6))
    return xr.Dataset(
        {"p": (dims, p), "p_fwe": (dims, p**0.2)}
        | {"region_draws": (("instruction", "region", "draw"), draws)},
        coords={"instruction": names},
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory, nsd, scores, winners, space, grid):
    """Everything that is exported of a subject with surfaces and one model."""
    mask = np.zeros(SHAPE, bool)
    mask[tuple(space[axis].values for axis in "ijk")] = True
    root = tmp_path_factory.mktemp("exports")
    cortices = own_cortices(open_nsd(nsd), "subj01", mask, average=True)
    target = SubjectFolder(root, "01", "nsdcore", "func1pt8mm", grid, "bids:nsd:mask", cortices)
    assert (
        target.write(
            subject_maps(space, usable(space["ceiling_ncsnr"], THRESHOLD), "ncsnr"), {"Fact": 1}
        )
        == 3
    )
    wanted = ("ByInstruction", "WinningInstruction", "WinningLayer", "Mean")
    maps = [one for one in maps_of(scores, winners, space) if one.desc.endswith(wanted)]
    maps = [one for one in maps if one.stat in (None, "alignment", "q")]
    assert target.write(maps, {"Fact": 1}) == 6
    return root / "func"


@pytest.fixture(scope="module")
def reliable(space):
    return (space["ceiling_ncsnr"] >= THRESHOLD).values


def volume(folder, name):
    return nibabel.load(folder / f"sub-01_{SPACE}_{name}.nii.gz")


def values_at(image, space):
    return image.get_fdata()[tuple(space[axis].values for axis in "ijk")]


def test_volumes_lie_where_the_data_lie(folder, grid):
    files = sorted(folder.glob(f"sub-01_{SPACE}_*.nii.gz"))
    assert len(files) == 9
    for path in files:
        image = load_img(path)
        np.testing.assert_allclose(image.affine, grid.affine, atol=1e-5)
        assert image.shape[:3] == SHAPE
        assert int(image.header["sform_code"]) == 1
        assert image.header.get_xyzt_units()[0] == "mm"
        sidecar = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
        assert sidecar["Fact"] == 1
        assert sidecar["SpatialReference"] == "bids:nsd:mask"


def test_numbers_are_the_scores(folder, scores, space, reliable):
    image = volume(folder, "stat-alignment_desc-someModelByInstruction_statmap")
    r = select_layers(scores, "best")["r"].values
    expected = np.where(reliable, r / space["ceiling_ncsnr"].values, np.nan)
    np.testing.assert_allclose(values_at(image, space).T, expected, rtol=1e-6)
    assert np.isfinite(image.get_fdata()).sum() == reliable.sum() * 3
    sidecar = json.loads(
        (
            folder / f"sub-01_{SPACE}_stat-alignment_desc-someModelByInstruction_statmap.json"
        ).read_text()
    )
    volumes = [(one["Instruction"], one["Text"]) for one in sidecar["Volumes"]]
    assert volumes == [(key, one["text"]) for key, one in INSTRUCTIONS.items()]
    mean = volume(folder, "stat-alignment_desc-someModelMean_statmap")
    np.testing.assert_allclose(values_at(mean, space), expected.mean(0), rtol=1e-5)


def test_significant_voxels_are_those_of_the_tables(folder, scores, space):
    q = values_at(volume(folder, "stat-q_desc-someModelByInstruction_statmap"), space).T
    ceiling = usable(space["ceiling_ncsnr"], THRESHOLD)
    found = significant(chance_of(scores), ceiling).values[:-1]
    np.testing.assert_array_equal(np.isnan(q), np.isnan(found))
    np.testing.assert_array_equal(q <= 0.05, found == 1)
    assert 0 < (found == 1).mean() < 0.9


def test_every_map_says_what_it_is_and_how_layers_were_chosen(scores, winners, space):
    for one in maps_of(scores, winners, space):
        assert one.sidecar["Description"].endswith(".")
        assert one.sidecar["LayerSelection"].startswith("Per voxel and instruction, the layer")
        if one.stat is not None:
            assert {"Units", "Statistic"} <= set(one.sidecar)
        raced = "Win" in one.desc or "Best" in one.desc
        assert ("WinnerSelection" in one.sidecar) is raced
        if one.suffix == "dseg" and one.desc == "someModelWinningLayer":
            assert "score under the winning instruction. The number" in one.sidecar["Description"]
    (alone,) = (
        one
        for one in maps_of(scores.isel(instruction=[0]), winners, space, instructions={})
        if one.suffix == "dseg"
    )
    assert alone.sidecar["Description"].startswith("Layer with the best cross-validation score. ")
    assert "WinnerSelection" not in alone.sidecar


def test_no_permutations_no_p(scores, winners, space):
    untested = scores.assign_attrs(n_permutations=0)
    assert {one.stat for one in maps_of(untested, winners, space)} == {
        None,
        "alignment",
        "r",
        "margin",
        "q",
        "layerlow",
        "layerhigh",
    }


def test_winners_are_indices_into_their_table(folder, winners, space, reliable):
    image = volume(folder, "desc-someModelWinningInstruction_dseg")
    table = pd.read_csv(
        folder / f"sub-01_{SPACE}_desc-someModelWinningInstruction_dseg.tsv", sep="\t"
    ).set_index("index")
    assert np.issubdtype(image.get_data_dtype(), np.integer)
    found = values_at(image, space).astype(int)
    keys = [*winners["instruction"].values, None]
    expected = [
        "no clear winner" if place >= 0 and not clear else keys[place]
        for place, clear in zip(
            winners["instruction_index"].values, winners["clear"].values, strict=True
        )
    ]
    assert "no clear winner" in expected
    assert [table["name"].get(index) for index in found] == expected
    np.testing.assert_array_equal(found > 0, reliable)
    assert np.count_nonzero(image.get_fdata()) == reliable.sum()
    assert table["color"].to_dict() == {
        row: (instruction_colours(list(INSTRUCTIONS)) | NO_WINNER)[key]
        for row, key in table["name"].items()
    }

    layers = pd.read_csv(
        folder / f"sub-01_{SPACE}_desc-someModelWinningLayer_dseg.tsv", sep="\t"
    ).set_index("index")["layer"]
    found = values_at(volume(folder, "desc-someModelWinningLayer_dseg"), space)[reliable]
    np.testing.assert_array_equal(layers.loc[found].values, winners["layer"].values[reliable])
    assert set(winners["layer"].values[reliable]) == set(LAYERS)


@pytest.mark.filterwarnings("ignore:Non-finite values")  # outside the mask
def test_nilearn_takes_maps_as_they_are(folder, winners, space):
    """Mean alignment by winning instruction, without a word about the format."""
    masker = NiftiLabelsMasker(
        folder / f"sub-01_{SPACE}_desc-someModelWinningInstruction_dseg.nii.gz",
        mask_img=folder / f"sub-01_{SPACE}_desc-reliable_mask.nii.gz",
        standardize=False,
    )
    means = masker.fit_transform(
        folder / f"sub-01_{SPACE}_stat-noiseceiling_desc-ncsnr_statmap.nii.gz"
    ).ravel()
    won = winners["instruction_index"].where(winners["clear"] | (winners["layer"] < 0), 3).values
    ceiling = space["ceiling_ncsnr"].values
    expected = [ceiling[won == place].mean() for place in range(4)]
    np.testing.assert_allclose(means, expected, rtol=1e-4)


def brute_force(nsd, side, image):
    """The values under each vertex at each depth, straight from the volume."""
    place = np.rint(read_depths(nsd, "subj01", side)).astype(int)
    return image[tuple(np.moveaxis(place, -1, 0))]


@pytest.mark.parametrize(("hemi", "side"), [("L", "lh"), ("R", "rh")])
def test_surfaces_show_what_lies_under_their_vertices(folder, nsd, hemi, side):
    alignment = volume(folder, "stat-alignment_desc-someModelByInstruction_statmap").get_fdata()
    under = brute_force(nsd, side, alignment)
    known = np.isfinite(under).sum(0)
    with np.errstate(invalid="ignore"):
        expected = np.where(known >= 1.5, np.nansum(under, 0) / known, np.nan)
    name = "stat-alignment_desc-someModelByInstruction_statmap.func.gii"
    native = load_surf_data(
        folder / f"sub-01_task-nsdcore_hemi-{hemi}_space-fsnative_{name}"
    ).astype(float)  # nilearn gives objects where a file has several maps
    np.testing.assert_allclose(native, expected, rtol=1e-4)
    assert 0.05 < np.isfinite(native[:, 0]).mean() < 0.6
    # The subject is fsaverage5: its vertices are fsaverage's first ones.
    average = load_surf_data(
        folder / f"sub-01_task-nsdcore_hemi-{hemi}_space-fsaverage_den-164k_{name}"
    ).astype(float)
    assert average.shape == (163842, 3)
    np.testing.assert_array_equal(average[: len(native)], native)


@pytest.mark.parametrize(("hemi", "side"), [("L", "lh"), ("R", "rh")])
def test_labels_on_surfaces_are_voted_and_named(folder, nsd, hemi, side):
    name = "desc-someModelWinningInstruction_dseg"
    under = brute_force(nsd, side, volume(folder, name).get_fdata().astype(int))
    stem = f"sub-01_task-nsdcore_hemi-{hemi}_space-fsnative_{name}"
    image = nibabel.load(folder / f"{stem}.label.gii")
    shown = load_surf_data(folder / f"{stem}.label.gii")
    same = (under == under[0]).all(0)
    np.testing.assert_array_equal(shown[same], under[0, same])
    assert (shown[same] > 0).sum() > 20
    table = pd.read_csv(folder / f"{stem}.tsv", sep="\t").set_index("index")
    names = image.labeltable.get_labels_as_dict()
    assert names == {0: "none", **table["name"].to_dict()}
    colours = {
        label.key: np.rint(np.array(label.rgba[:3]) * 255) for label in image.labeltable.labels
    }
    for index, colour in table["color"].items():
        assert "#" + "".join(f"{int(part):02x}" for part in colours[index]) == colour


def test_gifti_files_say_what_they_are(folder):
    codes = nibabel.nifti1.intent_codes
    for path in folder.glob("*.gii"):
        image = nibabel.load(path)
        side = "CortexLeft" if "_hemi-L_" in path.name else "CortexRight"
        assert image.meta["AnatomicalStructurePrimary"] == side
        labelled = path.name.endswith(".label.gii")
        wanted = "NIFTI_INTENT_LABEL" if labelled else "NIFTI_INTENT_NONE"
        assert {array.intent for array in image.darrays} == {codes[wanted]}
        assert {array.data.dtype for array in image.darrays} == {
            np.dtype(np.int32 if labelled else np.float32)
        }
        if "ByInstruction" in path.name:
            assert [array.meta["Name"] for array in image.darrays] == list(INSTRUCTIONS)


def test_one_instruction_is_one_map_and_no_race(scores, winners, space):
    alone = scores.isel(instruction=[0])
    maps = maps_of(alone, winners, space, instructions={}, colours={})
    assert {(one.suffix, one.desc, one.values.ndim) for one in maps} == {
        ("statmap", "someModel", 1),
        ("dseg", "someModelWinningLayer", 1),
        ("statmap", "someModelWinningLayer", 1),
    }


def test_voxels_under_the_threshold_are_not_reliable(space):
    zero = space.copy(deep=True)
    zero["ceiling_ncsnr"][:3] = 0
    ceiling = usable(zero["ceiling_ncsnr"], 1e-6)
    maps = {one.desc: one for one in subject_maps(zero, ceiling, "ncsnr")}
    assert np.flatnonzero(maps["reliable"].values == 0).tolist() == [0, 1, 2]
    facts = space.attrs | {
        "n_voxels": 9, "n_test_images": 9, "sessions": 9, "mask": "m", "space": "s", "betas": "b"
    }  # fmt: skip
    told = subject_facts(zero.assign_attrs(facts), ceiling, preferred="ncsnr")
    assert told["NumberOfExcludedVoxels"] == 3
    assert told["NoiseCeiling"]["Threshold"] == 1e-6
