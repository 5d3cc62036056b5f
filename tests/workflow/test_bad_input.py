"""Bad input gives one message that names file, fault and cure: no traceback, no output."""

from __future__ import annotations

import re
import shutil

import h5py
import nibabel as nib
import numpy as np
import pytest
import yaml
from checkout import SMALL

from brainstruct.figures.fsaverage import load_fsaverage5
from filestore import change_gifti, write_stored

pytestmark = pytest.mark.study

NSD = "resources/small/nsd"
BETAS = f"{NSD}/nsddata_betas/ppdata/subj01/func1pt8mm/betas_fithrf_GLMdenoise_RR"
CEILING = "results/user/ceilings/subj01.nc"
RESPONSES = "results/user/responses/subj01.nc"
EMBEDDING = "results/user/embeddings/instructblip/IC/subj01-000.nc"


@pytest.fixture
def user(finished, tmp_path):
    """The small data set as a user's own: nothing in the configuration says it is synthetic."""
    checkout = finished.copy(tmp_path / "checkout")
    config = yaml.safe_load((checkout.root / "small.yaml").read_text())
    del config["synthetic"]
    config["results"] = "results/user"
    (checkout.root / "small.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return checkout


def refused(checkout, target, *words):
    done = checkout.snakemake(target, *SMALL)
    assert done.status == 1
    for word in words:
        assert word in done.text, done.text[-4000:]
    assert "Traceback" not in done.text, done.text[-4000:]
    assert not (checkout.root / target).exists()


def test_users_data_give_the_same_responses(user):
    user.run(RESPONSES, *SMALL)
    with (
        h5py.File(user.root / RESPONSES) as own,
        h5py.File(user.root / "results/small/responses/subj01.nc") as synthetic,
    ):
        np.testing.assert_array_equal(own["betas"], synthetic["betas"])


def test_missing_session(user):
    folder = user.root / BETAS
    shutil.copy(folder / "betas_session01.hdf5", folder / "betas_session03.hdf5")
    refused(user, RESPONSES, "betas_session02", "sessions")


def test_truncated_hdf5(user):
    path = user.root / BETAS / "betas_session01.hdf5"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(user, RESPONSES, "betas_session01.hdf5")


def test_wrong_image_count(user):
    path = user.root / NSD / "nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5"
    with h5py.File(path, "r+") as stored:
        del stored["imgBrick"]
        stored.create_dataset("imgBrick", (72999, 425, 425, 3), "u1", chunks=(1, 425, 425, 3))
    refused(user, EMBEDDING, "nsd_stimuli.hdf5", "72999", "73000")


def test_roi_volume_of_another_shape(user):
    path = user.root / NSD / "nsddata/ppdata/subj01/func1pt8mm/roi/floc-bodies.nii.gz"
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[:-1], image.affine), path)
    refused(user, CEILING, "floc-bodies.nii.gz", "99", "100")


def test_non_finite_betas(user):
    path = user.root / BETAS / "betas_session01.hdf5"
    with h5py.File(path, "r+") as stored:
        betas = stored["betas"][:].astype(np.float32)
        del stored["betas"]
        betas[3][betas[3] != 0] = np.nan
        stored.create_dataset("betas", data=betas, chunks=(betas.shape[0], 1, 1, 1))
    refused(user, RESPONSES, "betas_session01.hdf5", "finite", "out of the mask")


def test_betas_in_another_file(user):
    path = user.root / BETAS / "betas_session01.hdf5"
    path.rename(path.with_name("elsewhere.hdf5"))
    with h5py.File(path, "w") as stored:
        stored["betas"] = h5py.ExternalLink("elsewhere.hdf5", "betas")
    refused(user, RESPONSES, "betas_session01.hdf5", "a link to somewhere else")


def test_subject_without_data(user):
    config = yaml.safe_load((user.root / "small.yaml").read_text())
    config["subjects"] = ["subj01", "subj05"]
    (user.root / "small.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    refused(user, "results/user/responses/subj05.nc", "subj05", "missing or empty", "aws s3 cp")
    # All that is not of that subject can be made, and the rest of it says why not.
    user.run(CEILING, *SMALL)
    both = user.snakemake("--keep-going", "stimuli", *SMALL)
    assert both.status == 1
    assert "Files that are not there yet: subj05 44 (resources/small/nsd/nsdd" in both.text
    assert "1 job failed:\n  check_data: resources/small/nsd: 44 of " in both.text
    assert re.search(r"Done: \d of \d jobs\.", both.text), both.text[-2000:]
    stimuli = {path.name for path in (user.root / "results/user/stimuli").rglob("*.tsv")}
    assert stimuli == {"subj01.tsv", "subj01-000.tsv", "shared-000.tsv"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda f: change_gifti(f / "surfaces/flat_lh.gii", lambda p, t: (p, [*t, *t])),
            ["flat_lh.gii: is no surface: more than two triangles"],
        ),
        (
            lambda f: np.savez(f / "surface-info/curvature.npz", left=np.ones(9), right=[1]),
            ["curvature.npz: has 9 vertices", "10242"],
        ),
    ],
)
def test_filestore(user, change, words):
    change(filestore(user))
    refused(user, "results/user/pycortex/ready.json", *words)


def filestore(user):
    config = yaml.safe_load((user.root / "small.yaml").read_text())
    config["flatmaps"] |= {"store": "users", "subject": "me", "transform": "func"}
    (user.root / "small.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return write_stored(user.root / "users", "me", load_fsaverage5())


def test_damaged_surface_of_the_studys_own_store(user):
    filestore(user)
    user.run("results/user/pycortex/ready.json", *SMALL)
    inflated = user.root / "results/user/pycortex/db/me/surfaces/inflated_lh.gii"
    inflated.write_bytes(inflated.read_bytes().replace(b"eJ", b"eK", 1))
    refused(user, "results/user/pycortex/webgl/me", "inflated_lh.gii: is damaged", "Delete")


def test_checkpoint_without_weights(user):
    folder = user.root / "resources/small/checkpoints/instructblip"
    for path in folder.glob("*.safetensors"):
        path.unlink()
    refused(user, EMBEDDING, "checkpoints/instructblip", "weights")
