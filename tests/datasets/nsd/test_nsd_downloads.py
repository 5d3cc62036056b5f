"""What flatmaps need comes along, unless a filestore has it."""

from __future__ import annotations

import pytest

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.datasets.nsd.downloads import wanted_files
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.sessions import RELEASED_SESSIONS, Sessions
from brainstruct.datasets.reading import SIDES
from brainstruct.fetch.study import cortices_to_fetch

SURFACES = {"white", "pial", "inflated", "curv", "full.flat.patch.3d"}
DEPTHS = {f"func1pt8-to-{depth}.mgz" for depth in ("layerB1", "layerB2", "layerB3")}


class Listed:
    """A bucket that holds everything a subject has, but for some names."""

    def __init__(self, layout, *lacking, sessions=40):
        rois = ("nsdgeneral", "prf-visualrois", "floc-bodies", "floc-faces", "floc-places")
        paths = [layout.expdesign_file, layout.stim_info_file, layout.stimuli_file]
        paths += [layout.roi_file("subj01", name) for name in (*rois, "floc-words")]
        numbers = Sessions(sessions, "hdf5").numbers
        paths += [layout.betas_file("subj01", number, "hdf5") for number in numbers]
        paths.append(layout.ncsnr_file("subj01"))
        for side in SIDES:
            paths += [layout.surface_file("subj01", side, name) for name in SURFACES]
            paths += [layout.surface_file("subj01", side, "smoothwm")]
            paths += layout.depth_files("subj01", side)
            paths.append(layout.fsaverage_file("subj01", side))
        keys = [layout.in_bucket(path) for path in paths]
        self.keys = {key: 1 for key in keys if not key.endswith(lacking or ("nothing",))}

    def sizes(self, folder):
        return {key: 1 for key in self.keys if key.rpartition("/")[0] == folder}


def wanted(root, *lacking, sessions=40, **flatmaps):
    config = read_config()
    config["subjects"] = ["subj01"]
    config["data"]["nsd_root"] = str(root)
    config["flatmaps"] |= {"store": str(root / "pycortex"), **flatmaps}
    layout = Layout(root)
    study = load_study(config)
    bucket = Listed(layout, *lacking, sessions=sessions)
    cortices = cortices_to_fetch(study)
    return wanted_files(study.dataset, study.wanted, cortices, bucket.sizes)


def flat_names(files):
    """Names of surfaces and transforms, without their hemisphere; both must have each."""
    names = [
        file.name.partition(".")
        for file in files.sizes
        if file.parent.name in ("surf", "transforms")
    ]
    by_side = [{rest for side, _, rest in names if side == one} for one in SIDES]
    assert by_side[0] == by_side[1]
    return by_side[0]


def test_the_subject_s_own_cortex(tmp_path):
    assert flat_names(wanted(tmp_path)) == SURFACES | DEPTHS


def test_another_name_of_the_white_surface(tmp_path):
    assert flat_names(wanted(tmp_path, "lh.white", "rh.white")) == (
        SURFACES - {"white"} | {"smoothwm"} | DEPTHS
    )


@pytest.mark.parametrize("source", ["auto", "freesurfer"])
def test_fsaverage_where_the_bucket_has_no_patches(tmp_path, source):
    found = flat_names(wanted(tmp_path, ".patch.3d", source=source))
    assert found == DEPTHS | {"white-to-fsaverage.mgz"}


def test_fsaverage_as_configured(tmp_path):
    found = flat_names(wanted(tmp_path, source="fsaverage"))
    assert found == DEPTHS | {"white-to-fsaverage.mgz"}


def test_nothing_if_a_filestore_has_the_subject(tmp_path):
    (tmp_path / "pycortex" / "subj01").mkdir(parents=True)
    assert flat_names(wanted(tmp_path)) == set()


def test_a_missing_transform_is_named(tmp_path):
    found = wanted(tmp_path, "rh.func1pt8-to-layerB2.mgz")
    assert [path.name for path in found.absent] == ["rh.func1pt8-to-layerB2.mgz"]


def test_all_sessions_are_those_of_the_bucket(tmp_path):
    def n_sessions(**options):
        return sum("session" in file.name for file in wanted(tmp_path, **options).sizes)

    assert n_sessions() == RELEASED_SESSIONS["subj01"]
    assert n_sessions(sessions=37) == 37
    # An unfinished download changes nothing.
    first = Layout(tmp_path).betas_file("subj01", 1, "hdf5")
    first.parent.mkdir(parents=True)
    first.touch()
    assert n_sessions() == RELEASED_SESSIONS["subj01"]


def put(path, content=b"mine"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_files_of_one_s_own_are_never_asked_of_the_bucket(tmp_path):
    layout = Layout(tmp_path)
    own = {
        put(layout.roi_file("subj01", "nsdgeneral")),  # drawn anew, under the name of the bucket's
        put(layout.label_tables("subj01", "floc-faces")[1]),
        put(layout.ncsnr_file("subj01")),
        put(layout.transform_file("subj01", "rh", "func1pt8-to-layerB2")),
        put(layout.betas_file("subj01", 3, "hdf5")),
    }
    lacking = ("ncsnr.nii.gz", "rh.func1pt8-to-layerB2.mgz", "betas_session03.hdf5")
    found = wanted(tmp_path, *lacking)
    assert (found.absent, found.own) == ({}, own)
    assert set(found.here) == own
    assert not own & {*found.missing, *found.published}


def test_surfaces_of_one_s_own_are_drawn(tmp_path):
    for side in SIDES:
        put(Layout(tmp_path).patch_file("subj01", side, "full"))
    assert flat_names(wanted(tmp_path, ".patch.3d")) == SURFACES | DEPTHS


def test_an_empty_file_is_none(tmp_path):
    put(Layout(tmp_path).roi_file("subj01", "nsdgeneral"), b"")
    assert not wanted(tmp_path).own
