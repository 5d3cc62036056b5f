from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest
import xarray as xr
from pydantic import ValidationError
from small_study import (
    PLANTED,
    REGIONS,
    SEED,
    SHAPE,
    Study,
    make_anatomy,
    make_features,
    subject_plan,
)

from brainstruct.datasets.nsd.betas import SATURATED
from brainstruct.datasets.nsd.labels import LABELS, read_label_table
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.ncsnr import read_ncsnr
from brainstruct.datasets.nsd.rois import read_mask, read_roi
from brainstruct.datasets.nsd.synthetic.nifti import write_volume
from brainstruct.datasets.nsd.synthetic.planting import planted_signals
from brainstruct.datasets.nsd.synthetic.regions import FAMILIES, Anatomy, draw_families
from brainstruct.datasets.nsd.synthetic.settings import Written
from brainstruct.datasets.nsd.synthetic.subjects import truth_file, write_subject
from brainstruct.errors import InputError
from brainstruct.store.arrays import provenance, read_dataset
from nsd_study import prepare


def write(study: Study, folder: Path, seed: int = SEED, **changes: Any) -> Layout:
    """Write subj03 again, elsewhere."""
    layout = Layout(folder)
    layout.expdesign_file.parent.mkdir(parents=True)
    layout.expdesign_file.symlink_to(study.layout.expdesign_file)
    features = make_features(study.index("subj03")["nsd_id"].to_numpy())
    plan = subject_plan(**changes)
    write_subject(layout, "subj03", make_anatomy(), features, plan, 1, seed)
    return layout


@pytest.mark.parametrize("family", [*FAMILIES, "nsdgeneral"])
def test_hemispheres_add_up(study: Study, family: str) -> None:
    both, left, right = (
        nibabel.load(study.layout.roi_file("subj01", family, side)).get_fdata()
        for side in (None, "lh", "rh")
    )
    np.testing.assert_array_equal(both, np.where(left != -1, left, right))
    assert ((left == -1) | (right == -1)).all()
    assert nibabel.load(study.layout.roi_file("subj01", family)).get_data_dtype() == np.float64


def test_regions_become_families() -> None:
    anatomy = Anatomy.from_dataset(make_anatomy())
    families = draw_families(anatomy)
    assert all((volume[~anatomy.cortex] == -1).all() for volume in families.values())
    assert all((volume[anatomy.cortex] >= 0).all() for volume in families.values())
    visual = families["prf-visualrois"]
    np.testing.assert_array_equal(np.isin(visual, (1, 2)), anatomy.region("V1"))
    np.testing.assert_array_equal(np.isin(visual, (3, 4)), anatomy.region("V2"))
    ventral, dorsal = (np.argwhere(visual == number)[:, 2] for number in (1, 2))
    assert ventral.max() < dorsal.min()
    for region, family, label in (
        ("EBA", "floc-bodies", "EBA"),
        ("FFA", "floc-faces", "FFA-1"),
        ("PPA", "floc-places", "PPA"),
        ("LO", "floc-words", "OWFA"),
    ):
        number = next(key for key, name in LABELS[family].items() if name == label)
        np.testing.assert_array_equal(families[family] == number, anatomy.region(region))
        assert set(np.unique(families[family])) == {-1, 0, number}


def test_eccentricity_grows_to_the_front() -> None:
    bands = draw_families(Anatomy.from_dataset(make_anatomy()))["prf-eccrois"]
    depth = [np.argwhere(bands == band)[:, 1].mean() for band in (1, 2, 3, 4, 5)]
    assert depth == sorted(depth)


def test_labels_are_named_on_disk(study: Study) -> None:
    for family in (*FAMILIES, "nsdgeneral"):
        own, average = study.layout.label_tables("subj01", family)
        assert read_label_table(own) == LABELS[family]
        assert own.read_text().startswith("0 Unknown\n")
        assert average.exists() == (family in ("streams", "nsdgeneral"))


def test_an_anatomy_is_checked() -> None:
    with pytest.raises(InputError, match="lacks cortex"):
        Anatomy.from_dataset(make_anatomy().drop_vars("cortex"))
    with pytest.raises(InputError, match=r"unnamed labels \[1, 2, 3, 4, 5, 6\]"):
        Anatomy.from_dataset(make_anatomy().assign_attrs(names="{}"))


def test_axis_order_of_an_anatomy_does_not_matter() -> None:
    turned = make_anatomy().transpose("k", "i", "j")
    np.testing.assert_array_equal(
        Anatomy.from_dataset(turned).label, Anatomy.from_dataset(make_anatomy()).label
    )


def test_headers_are_those_of_the_authors(study: Study) -> None:
    image = nibabel.load(study.layout.betas_file("subj01", 1, "nifti"))
    assert image.shape == (*SHAPE, 750)
    assert image.get_data_dtype() == np.int16
    assert int(image.header["qform_code"]) == 0
    assert int(image.header["sform_code"]) == 1
    np.testing.assert_allclose(image.header["pixdim"][1:5], [1.8, 1.8, 1.8, 4 / 3], rtol=1e-6)
    assert nibabel.aff2axcodes(image.affine) == ("R", "A", "S")
    centre = image.affine @ [*((np.array(SHAPE) - 1) / 2), 1]
    np.testing.assert_allclose(centre[:3], 0, atol=1e-5)
    assert image.dataobj.slope == 1


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_a_volume_reads_back(tmp_path: Path, dtype: type) -> None:
    values = np.random.default_rng(0).normal(0, 100, (4, 5, 6)).astype(dtype)
    write_volume(values, tmp_path / "v.nii.gz")
    image = nibabel.load(tmp_path / "v.nii.gz")
    assert image.get_data_dtype() == dtype
    np.testing.assert_array_equal(np.asarray(image.dataobj), values)


def test_betas_lie_as_matlab_wrote_them(study: Study) -> None:
    brain = nibabel.load(study.layout.brainmask_file("subj01")).get_fdata() > 0
    assert brain.mean() == pytest.approx(0.55, abs=0.1)
    with h5py.File(study.layout.betas_file("subj01", 2, "hdf5")) as file:
        betas = file["betas"]
        assert betas.shape == (750, *SHAPE[::-1])
        assert betas.chunks == (750, 1, 1, 1)
        assert betas.dtype == np.int16
        values = betas[:].transpose(3, 2, 1, 0)
        general = read_mask(study.layout, "subj01")
        assert betas.id.get_num_chunks() == general.sum() + 200 - 1
    nifti = np.asarray(nibabel.load(study.layout.betas_file("subj01", 2, "nifti")).dataobj)
    np.testing.assert_array_equal(values, nifti)
    assert not values[~brain].any()
    assert (general & ~values.any(axis=-1)).sum() == 1
    ends, times = np.unique(values[np.abs(values.astype(int)) >= 32_767], return_counts=True)
    assert dict(zip(ends.tolist(), times.tolist(), strict=True)) == dict.fromkeys(SATURATED, 2) | {
        -32_768: 1
    }


def test_nsdgeneral_holds_regions_and_their_surroundings(study: Study) -> None:
    general = read_mask(study.layout, "subj01")
    label = make_anatomy()["label"].to_numpy()
    assert general[label > 0].all()
    assert (general & (label == 0)).sum() == 40
    mask = nibabel.load(study.layout.brainmask_file("subj01")).get_fdata() > 0
    assert mask[general].all()


def test_regions_are_thinned_out_evenly(study: Study, tmp_path: Path) -> None:
    layout = write(study, tmp_path, max_labelled=90)
    general = read_mask(layout, "subj03")
    label = make_anatomy()["label"].to_numpy()
    kept = {name: (general & (label == number)).sum() for number, name in enumerate(REGIONS, 1)}
    sizes = {name: (label == number).sum() for number, name in enumerate(REGIONS, 1)}
    # Regions this small keep 40 voxels, or all they have.
    assert kept == {"V1": 40, "V2": 30, "EBA": 15, "FFA": 30, "PPA": 15, "LO": 15}
    assert all(kept[name] <= sizes[name] for name in REGIONS)


def test_truth_names_what_drives_each_voxel(study: Study) -> None:
    truth = read_dataset(truth_file(study.layout, "subj01"))
    general = read_mask(study.layout, "subj01")
    place = np.stack([truth[axis].to_numpy() for axis in "ijk"], axis=1)
    np.testing.assert_array_equal(place, np.argwhere(general))
    for planted in PLANTED:
        inside = truth["region"] == planted.roi
        assert inside.any()
        assert set(truth["planted_instruction"].to_numpy()[inside]) == {planted.instruction}
        assert set(truth["planted_layer"].to_numpy()[inside]) == {planted.layer}
        assert truth["ncsnr"].to_numpy()[inside].min() >= 0.3
        assert truth["ncsnr"].to_numpy()[inside].max() <= 1.2
    idle = ~np.isin(truth["region"], [planted.roi for planted in PLANTED])
    assert set(truth["planted_layer"].to_numpy()[idle]) == {-1}
    assert (truth["ncsnr"].to_numpy()[idle] == 0).all()
    assert provenance(truth)["seed"] == SEED


def test_ncsnr_on_disk_recovers_the_truth(study: Study) -> None:
    truth = read_dataset(truth_file(study.layout, "subj01"))
    volume = read_ncsnr(study.layout, "subj01")
    found = volume[tuple(truth[axis].to_numpy() for axis in "ijk")]
    clean = np.isfinite(found)
    for session in (1, 2):
        with h5py.File(study.layout.betas_file("subj01", session, "hdf5")) as file:
            extreme = np.abs(file["betas"][:].astype(int)).max(axis=0).T >= 32_767
        clean &= ~extreme[tuple(truth[axis].to_numpy() for axis in "ijk")]
    planted = clean & (truth["planted_layer"].to_numpy() >= 0)
    expected = truth["ncsnr"].to_numpy()
    assert np.corrcoef(found[planted], expected[planted])[0, 1] > 0.95
    assert np.median(np.abs(found - expected)[planted]) < 0.06
    assert np.median(found[clean & ~planted]) < 0.15


def explained(features: xr.DataArray, responses: xr.Dataset, voxels: np.ndarray) -> float:
    """Median correlation of held-out responses with a least-squares prediction."""
    inputs = features.sel(stimulus=responses["stimulus"]).to_numpy()
    inputs = np.column_stack([inputs, np.ones(len(inputs))])
    train = (responses["split"] == "train").to_numpy()
    target = responses["betas"].to_numpy()[:, voxels]
    weights = np.linalg.lstsq(inputs[train], target[train], rcond=None)[0]
    predicted = inputs[~train] @ weights
    return float(
        np.median(
            [
                np.corrcoef(one, other)[0, 1]
                for one, other in zip(predicted.T, target[~train].T, strict=True)
            ]
        )
    )


def test_the_planted_feature_space_explains_its_region_and_no_other_does(study: Study) -> None:
    """The whole way: image, trial, file, reader; an id off by one anywhere breaks it."""
    responses = prepare(study.layout, "subj01")
    truth = read_dataset(truth_file(study.layout, "subj01"))
    region = dict(
        zip(
            zip(*(truth[axis].to_numpy().tolist() for axis in "ijk"), strict=True),
            truth["region"].to_numpy().tolist(),
            strict=True,
        )
    )
    kept = zip(*(responses[axis].to_numpy().tolist() for axis in "ijk"), strict=True)
    names = np.array([region[ijk] for ijk in kept])
    features = make_features(responses["stimulus"].to_numpy())
    scores = {
        (source.roi, roi): explained(features[source.key], responses, np.flatnonzero(names == roi))
        for source in PLANTED
        for roi in ("V1", "FFA", "EBA")
    }
    for source in PLANTED:
        assert scores.pop((source.roi, source.roi)) > 0.6
    assert max(scores.values()) < 0.15


def test_without_signal_there_is_only_noise(study: Study, tmp_path: Path) -> None:
    layout = write(study, tmp_path, signal=0.0)
    truth = read_dataset(truth_file(layout, "subj03"))
    assert (truth["ncsnr"] == 0).all()
    found = read_ncsnr(layout, "subj03")[read_mask(layout, "subj03")]
    assert np.nanmedian(found) < 0.35  # 62 images with three trials: a coarse estimate


def test_the_same_seed_writes_the_same_bytes(study: Study, tmp_path: Path) -> None:
    again = write(study, tmp_path / "again")
    files = [
        *(study.layout.betas_file("subj03", 1, fmt) for fmt in ("hdf5", "nifti")),
        *(study.layout.roi_file("subj03", family) for family in FAMILIES),
        study.layout.ncsnr_file("subj03"),
        study.layout.mean_file("subj03"),
    ]
    for path in files:
        other = again.nsd_root / path.relative_to(study.layout.nsd_root)
        assert other.read_bytes() == path.read_bytes(), path.name
    assert not list(again.nsd_root.rglob("*.part*"))
    xr.testing.assert_equal(
        read_dataset(truth_file(again, "subj03")), read_dataset(truth_file(study.layout, "subj03"))
    )
    different = write(study, tmp_path / "different", seed=SEED + 1)
    path = study.layout.betas_file("subj03", 1, "nifti")
    other = different.nsd_root / path.relative_to(study.layout.nsd_root)
    assert other.read_bytes() != path.read_bytes()


def test_formats_can_be_chosen(study: Study, tmp_path: Path) -> None:
    layout = write(study, tmp_path, formats=("hdf5",))
    assert layout.betas_file("subj03", 1, "hdf5").exists()
    assert not layout.betas_file("subj03", 1, "nifti").exists()


def test_signals_have_unit_variance_and_lie_in_the_feature_space() -> None:
    random = np.random.default_rng(0)
    base = random.standard_normal((300, 5))
    values = np.column_stack([base @ random.standard_normal((5, 9)), np.full(300, 3.0)])
    nsd_id = np.arange(1000, 1300)
    features = xr.DataArray(values, dims=("stimulus", "feature"), coords={"stimulus": nsd_id})
    shown = nsd_id[::2]
    signals = planted_signals(features, shown, 40, random)
    assert signals.shape == (150, 40)
    np.testing.assert_allclose(signals.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(signals.std(axis=0), 1)
    inputs = np.column_stack([base[::2], np.ones(150)])
    residual = signals - inputs @ np.linalg.lstsq(inputs, signals, rcond=None)[0]
    assert np.abs(residual).max() < 1e-9


def test_features_must_fit_the_images() -> None:
    features = xr.DataArray(
        np.random.default_rng(0).standard_normal((10, 3)),
        dims=("stimulus", "feature"),
        coords={"stimulus": np.arange(10)},
    )
    random = np.random.default_rng(0)
    with pytest.raises(InputError, match=r"2 shown images have none \(nsd_id 10\)"):
        planted_signals(features, np.array([3, 10, 11]), 1, random)
    with pytest.raises(InputError, match="do not vary"):
        planted_signals(features * 0, np.arange(5), 1, random)
    with pytest.raises(InputError, match="not finite"):
        planted_signals(features * np.nan, np.arange(5), 1, random)


def test_impossible_plans_of_a_subject_are_refused(study: Study, tmp_path: Path) -> None:
    whole = {"seed": 1, "sessions": {"subj01": 1}, "shared_images": 50, "unique_images": 200}
    one = {"roi": "V1", "model": "toy", "instruction": "IU1", "layer": 2}
    with pytest.raises(ValidationError, match="several signals in V1"):
        Written(**whole, planted=[one, one])
    with pytest.raises(ValidationError, match="no bounds"):
        Written(**whole, ncsnr=(1.2, 0.3))
    with pytest.raises(InputError, match="region MT has no voxel"):
        write(study, tmp_path / "a", planted=[one | {"roi": "MT"}])
    with pytest.raises(InputError, match="no features of"):
        write(study, tmp_path / "b", planted=[one | {"layer": 3}])
    with pytest.raises(InputError, match="5000 unlabelled voxels are wanted"):
        write(study, tmp_path / "c", n_unlabelled=5000)


def test_absent_labels_mark_no_voxel(study: Study) -> None:
    faces = read_roi(study.layout, "subj01", "floc-faces")
    present = {faces.names[int(number)] for number in np.unique(faces.numbers) if number > 0}
    assert present == {"FFA-1"}
