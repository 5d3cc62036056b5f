"""The doctor finds everything at once, names the file and the cure, and ends with a status."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
import yaml
from sound_study import SHARDS, config_of, study_of

from brainstruct.config.files import read_config
from brainstruct.config.loading import load_study
from brainstruct.config.sense import REPOSITORY
from brainstruct.datasets.nsd import doctor as nsd_doctor
from brainstruct.datasets.nsd.design import read_expdesign, shown_images
from brainstruct.datasets.nsd.doctor import check_captions, check_stimuli
from brainstruct.datasets.nsd.layout import Layout
from brainstruct.datasets.nsd.synthetic.surfaces import write_surfaces
from brainstruct.doctor import command, machine
from brainstruct.doctor.checkpoints import check_checkpoint
from brainstruct.doctor.examination import examine
from brainstruct.doctor.flatmaps import check_flatmaps
from brainstruct.doctor.machine import check_disk, check_folders
from brainstruct.figures.fsaverage import load_fsaverage5
from brainstruct.planning import disk
from filestore import change_gifti

SCRIPT = Path(command.__file__).parents[2] / "doctor.py"


def layout_of(root):
    return Layout(root / "nsd")


def check_subject(study, subject):
    return nsd_doctor.check_subject(study.dataset, study.wanted, subject)


def check_design(study):
    return nsd_doctor.check_design(study.dataset, study.wanted)


def findings(outcomes):
    return [(outcome.area, finding) for outcome in outcomes for finding in outcome.findings]


def only(outcome, level="error"):
    assert [finding.level for finding in outcome.findings] == [level], outcome.findings
    return outcome.findings[0].line


def truncate(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def test_a_sound_study_has_no_findings(sound):
    outcomes = examine(study_of(sound), packages=False)
    assert findings(outcomes) == []
    assert {outcome.area for outcome in outcomes} >= {"design", "images", "captions", "subj03"}
    checked = {outcome.area: outcome.checked for outcome in outcomes}
    assert checked["subj01"] == "2 sessions (hdf5), mask nsdgeneral, 2 ROI volumes, ncsnr"


def test_everything_is_found_at_once(ill, capsys):
    layout = layout_of(ill)
    layout.captions_file("val2017").unlink()
    layout.betas_file("subj01", 1, "hdf5").unlink()
    truncate(layout.betas_file("subj01", 2, "hdf5"))
    truncate(layout.stimuli_file)
    layout.roi_file("subj03", "floc-faces").unlink()
    (ill / "checkpoints" / "instructblip" / SHARDS[1]).unlink()
    shutil.rmtree(ill / "pycortex" / "subj03" / "transforms")
    assert command.report(config_of(ill, data={"format": "hdf5"}), packages=False) == 1
    said = capsys.readouterr().out
    for words in (
        "lacks captions_val2017.json",
        "lacks 1 of 2 sessions: betas_session01.hdf5",
        "betas_session02.hdf5: is damaged",
        "nsd_stimuli.hdf5: is damaged or no HDF5 file",
        "floc-faces.nii.gz: is missing",
        f"lacks {SHARDS[1]}",
        "transforms/identity: lacks matrices.xfm",
    ):
        line = next(line for line in said.splitlines() if words in line)
        assert "  error  " in line
        assert line.endswith(".")
    assert "The study cannot run as it is. 7 errors." in said


def test_a_hole_and_its_size(ill):
    study = study_of(ill, data={"sessions": 4, "format": "nifti"})
    line = only(check_subject(study, "subj01"))
    assert "lacks 2 of 4 sessions: betas_session03.nii.gz, betas_session04.nii.gz" in line
    assert "use only the first 2" in line


def test_more_sessions_than_there_are(ill):
    study = study_of(ill, data={"sessions": 33})
    lines = [finding.line for finding in check_subject(study, "subj03").findings]
    assert "33 sessions of subj03 are wanted, the data set has 32" in lines[0]
    assert "lacks 31 of 32" in lines[1]


def test_layers_that_a_configuration_leaves_to_the_library(ill):
    path = ill / "checkpoints/clip/config.json"
    path.write_text(json.dumps({"model_type": "clip"}))
    lines = [finding.line for finding in check_checkpoint(study_of(ill), "clip").findings]
    assert len(lines) == 2  # the image tower's and the text tower's
    assert all("is 3, " in line and "has 13 hidden states" in line for line in lines)


def test_one_model_s_fault_does_not_hide_the_weights(ill):
    folder = ill / "checkpoints/clip"
    (folder / "config.json").write_text(json.dumps({"model_type": "siglip"}))
    truncate(folder / "model.safetensors")
    lines = [finding.line for finding in check_checkpoint(study_of(ill), "clip").findings]
    assert any("model_type is 'siglip'" in line for line in lines)
    assert any("model.safetensors: is damaged" in line for line in lines)


def test_pointers_that_nobody_reads_are_warnings(ill):
    path = ill / "checkpoints/instructblip/tokenizer.model"
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    line = only(check_checkpoint(study_of(ill), "instructblip"), "warning")
    assert line.startswith(f"{path}: is a Git LFS pointer")
    (path.parent / "qformer_tokenizer/tokenizer.json").write_bytes(path.read_bytes())
    levels = [f.level for f in check_checkpoint(study_of(ill), "instructblip").findings]
    assert sorted(levels) == ["error", "warning"]


def test_an_unfinished_download_is_a_warning_if_all_sessions_are_meant(ill):
    study = study_of(ill, data={"sessions": "all"})
    line = only(check_subject(study, "subj01"), "warning")
    assert "holds 2 of the 40 sessions" in line
    assert "{subj01: 2}" in line


def test_another_format(ill):
    for path in layout_of(ill).betas_folder("subj03").glob("*.hdf5"):
        path.unlink()
    study = study_of(ill, data={"format": "hdf5"})
    line = only(check_subject(study, "subj03"))
    assert "holds no session in hdf5, but there are files in nifti" in line


@pytest.mark.parametrize("form", ["hdf5", "nifti"])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.97])
def test_truncated_betas(ill, form, share):
    path = layout_of(ill).betas_file("subj03", 1, form)
    truncate(path, share)
    line = only(check_subject(study_of(ill, data={"format": form}), "subj03"))
    assert line.startswith(f"{path}: is ")
    assert "truncated" in line


@pytest.mark.parametrize(
    ("shape", "dtype", "fault"),
    [
        ((750, 8, 14, 11), "i2", "holds volumes of shape (11, 14, 8), the subject's mask has"),
        ((749, 8, 14, 12), "i2", "holds 749 trials instead of 750"),
        ((750, 8, 14, 12), "i4", "holds int32 instead of int16"),
        ((750, 8), "i2", "instead of 4 dimensions"),
    ],
)
def test_other_betas(ill, shape, dtype, fault):
    path = layout_of(ill).betas_file("subj03", 1, "hdf5")
    with h5py.File(path, "w") as file:
        file.create_dataset("betas", shape, dtype, chunks=(1,) * len(shape))
    assert fault in only(check_subject(study_of(ill), "subj03"))


def put_floats(path, change):
    with h5py.File(path, "r+") as file:
        betas = file["betas"][:].astype("f4")
        del file["betas"]
        change(betas)
        file["betas"] = betas


def test_betas_of_ones_own_with_voxels_without_data(ill):
    path = layout_of(ill).betas_file("subj03", 1, "hdf5")
    put_floats(path, lambda betas: betas[:, :, :7].fill(np.nan))
    line = only(check_subject(study_of(ill), "subj03"), "warning")
    assert "have no data in some session" in line
    put_floats(path, lambda betas: betas[0, :, 7:].fill(np.nan))
    line = only(check_subject(study_of(ill), "subj03"))
    assert "numbers in other trials" in line
    assert "Download" not in line


def test_a_folder_that_may_not_be_looked_at_ends_in_a_line(ill, monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", "/data/nsd")

    monkeypatch.setattr(command, "examine", refuse)
    assert command.report(config_of(ill), packages=False) == 1
    assert capsys.readouterr().err.startswith("/data/nsd: may not be read")


def test_damaged_volumes(ill):
    layout = layout_of(ill)
    truncate(layout.ncsnr_file("subj03"), 0.6)
    truncate(layout.roi_file("subj03", "prf-visualrois"), 0.6)
    outcome = check_subject(study_of(ill), "subj03")
    assert ["is damaged" in finding.line for finding in outcome.findings] == [True, True]


def test_labels_without_a_name(ill):
    layout = layout_of(ill)
    table = next(path for path in layout.label_tables("subj03", "floc-faces") if path.is_file())
    table.write_text("0 Unknown\n")
    line = only(check_subject(study_of(ill), "subj03"))
    assert "holds labels that have no name" in line


def test_regions_without_names_are_noted(ill):
    layout = layout_of(ill)
    shutil.copy(layout.roi_file("subj03", "floc-faces"), layout.roi_file("subj03", "thalamus"))
    study = study_of(ill, data={"rois": ["thalamus"]})
    line = only(check_subject(study, "subj03"), "note")
    assert "no table names its labels; they are called thalamus_" in line


def test_a_region_that_is_misspelt_is_not_to_be_fetched(ill):
    study = study_of(ill, data={"rois": ["floc-face"]})
    line = only(check_subject(study, "subj03"))
    assert "Did you mean 'floc-faces'?" in line
    assert "etch" not in line


def test_a_damaged_design_hides_nothing_else(ill):
    truncate(layout_of(ill).expdesign_file)
    areas = [area for area, _ in findings(examine(study_of(ill), packages=False))]
    assert areas == ["design"]


def test_images_that_were_never_filled(ill):
    layout = layout_of(ill)
    study = study_of(ill)
    _, images = check_design(study)
    with h5py.File(layout.stimuli_file, "r+") as file:
        file["imgBrick"][int(images["stimulus"].iloc[0])] = 0
    assert "is blank" in only(check_stimuli(layout, images))
    with h5py.File(layout.stimuli_file, "w") as file:
        file.create_dataset("imgBrick", (10, 4, 4, 3), "u1")
    assert "holds 10 images instead of 73000" in only(check_stimuli(layout, images))
    with h5py.File(layout.stimuli_file, "w") as file:
        file.create_dataset("imgBrick", (73000, 4, 5, 3), "u1", chunks=(1, 4, 5, 3))
    assert "holds images of 4 x 5" in only(check_stimuli(layout, None))


def test_captions_of_other_images(ill):
    layout = layout_of(ill)
    _, images = check_design(study_of(ill))
    path = layout.captions_file("train2017")
    content = json.loads(path.read_text())
    content["annotations"] = content["annotations"][::7]
    path.write_text(json.dumps(content))
    assert "has no caption of" in only(check_captions(layout, images))


def spoil(folder, name, content):
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda f: truncate(f / SHARDS[0]), "is damaged or no file of weights"),
        (lambda f: shutil.copy(f / SHARDS[0], f / SHARDS[1]), "lacks 2 tensors that the index"),
        (lambda f: (f / SHARDS[1]).unlink(), f"lacks {SHARDS[1]}"),
        (lambda f: spoil(f, SHARDS[0], b"version https://git-lfs.github.com/spec/v1\n"), "Git LFS"),
        (lambda f: spoil(f, "config.json", b'{"model_type": "llava"}'), "model_type is 'llava'"),
        (lambda f: spoil(f, "model.safetensors.index.json", b"[]"), "no index of weight shards"),
        (lambda f: (f / "tokenizer.json").unlink(), "lacks tokenizer.json"),
        (lambda f: (f / "tokenizer.json").rename(f / "tokenizer.model"), "lacks tokenizer.json"),
        (
            lambda f: (f / "qformer_tokenizer" / "tokenizer.json").unlink(),
            "lacks qformer_tokenizer/tokenizer.json",
        ),
        (lambda f: shutil.rmtree(f), "no such checkpoint folder"),
    ],
)
def test_checkpoints(ill, change, fault):
    change(ill / "checkpoints" / "instructblip")
    line = only(check_checkpoint(study_of(ill), "instructblip"))
    assert fault in line
    assert "git lfs pull" in line or "etch" in line or "Name another" in line


def test_pickled_weights(ill):
    folder = ill / "checkpoints" / "clip"
    (folder / "model.safetensors").unlink()
    spoil(folder, "pytorch_model.bin", b"PK\x03\x04 begun but never ended")
    assert "pytorch_model.bin: is truncated" in only(check_checkpoint(study_of(ill), "clip"))


def test_the_number_of_layers(ill):
    config = config_of(ill)
    config["models"] = [model | {"n_layers": 4} for model in config["models"]]
    study = study_of(ill, models=config["models"])
    lines = [finding.line for finding in check_checkpoint(study, "clip").findings]
    assert len(lines) == 2  # CLIP image and CLIP text
    assert "n_layers: is 4" in lines[0]
    assert "Set it to 3" in lines[0]


def test_a_checkpoint_of_the_hub_is_fetched_later(ill):
    study = study_of(ill, checkpoints={"clip": {"hub": "openai/clip", "revision": "abc"}})
    outcome = check_checkpoint(study, "clip")
    assert outcome.findings == []
    assert "fetches openai/clip (abc)" in outcome.checked


def test_no_filestore(ill):
    layout = layout_of(ill)
    shutil.rmtree(ill / "pycortex" / "subj03")
    line = only(check_flatmaps(study_of(ill)))
    assert "subj03" in line
    assert "lacks lh.func1pt8-to-layerB1.mgz" in line
    assert "and 4 more" in line
    for side in ("lh", "rh"):
        for path in (*layout.depth_files("subj03", side), layout.fsaverage_file("subj03", side)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    assert "is drawn on fsaverage" in only(check_flatmaps(study_of(ill)), "note")
    assert check_flatmaps(study_of(ill, flatmaps={"source": "fsaverage"})).findings


def gifti_as_npz(folder):
    path = folder / "surfaces/flat_lh.gii"
    points, triangles = (array.data for array in nib.load(path).darrays)
    np.savez(path.with_suffix(".npz"), pts=points, polys=triangles)
    path.unlink()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (gifti_as_npz, ""),
        (lambda f: (f / "surfaces/inflated_lh.gii").unlink(), ""),
        (lambda f: truncate(f / "surfaces/inflated_rh.gii"), "inflated_rh.gii: is damaged"),
        (
            lambda f: change_gifti(f / "surfaces/flat_rh.gii", lambda p, t: (p, [*t, *t])),
            "flat_rh.gii: is no surface",
        ),
        (
            lambda f: shutil.copy(f / "surfaces/flat_rh.gii", f / "surfaces/flat_lh.gii"),
            "flat_lh.gii: is the patch of another surface",
        ),
        (
            lambda f: np.savez(f / "surface-info/curvature.npz", lh=np.zeros(10242)),
            "curvature.npz: is damaged or no file with values",
        ),
        (
            lambda f: (f / "transforms/identity/matrices.xfm").write_text("{}"),
            "matrices.xfm: is damaged or no transform",
        ),
    ],
)
def test_surfaces_of_a_filestore_are_read(ill, change, fault):
    change(ill / "pycortex" / "subj01")
    outcome = check_flatmaps(study_of(ill, subjects=["subj01"], data={"sessions": 2}))
    assert not outcome.findings if not fault else fault in only(outcome)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda half: half, ""),
        (
            lambda half: replace(half, white=np.where(half.white > 40, np.nan, half.white)),
            "h.white: has no finite numbers",
        ),
        (lambda half: replace(half, curvature=-half.curvature), "negative on gyri"),
        (lambda half: replace(half, flat=half.flat * [1, 0]), "patch.3d: is no plane"),
    ],
)
def test_surfaces_of_the_data_set_are_read(ill, change, fault):
    shutil.rmtree(ill / "pycortex")
    layout = layout_of(ill)
    for half in load_fsaverage5():
        write_surfaces(layout, "subj01", change(half))
        for path in layout.depth_files("subj01", half.side):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    outcome = check_flatmaps(study_of(ill, subjects=["subj01"], data={"sessions": 2}))
    assert not outcome.findings if not fault else fault in only(outcome)


def test_no_write_access(ill, monkeypatch):
    def refuse(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(machine.tempfile, "TemporaryFile", refuse)
    lines = [finding.line for finding in check_folders(study_of(ill)).findings]
    assert all("by this user (Permission denied)" in line for line in lines)
    assert str(ill) in lines[0]


def test_room_for_what_is_to_come(ill, monkeypatch):
    study = study_of(ill)
    # As the design has them, and not as 2 and 1 of 40 sessions would on average.
    design = read_expdesign(Layout(ill / "nsd").expdesign_file)
    images = len(shown_images(design, {"subj01": 2, "subj03": 1}))
    # 10 instructions of InstructBLIP, the same of the random one, two of CLIP.
    files = 10 + 10 + 1 + 1
    per_image = 3 * 8 * 2 + 5 * 32 + 25
    whole = images * files * per_image + 3 * files * 16_000
    assert f"{whole / 1e9:.1f} GB to come" in check_disk(study).checked
    assert check_disk(study).findings == []
    usage = shutil.disk_usage(ill)._replace(free=whole - 1)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage)
    assert "GB are free" in only(check_disk(study))
    done = ill / "results/embeddings/clip-image/none/subj01-000.nc"
    done.parent.mkdir(parents=True)
    done.write_bytes(b"one file less to come")
    assert check_disk(study).findings == []


def test_missing_data_need_room_too(ill):
    (ill / "nsd/nsddata_stimuli/stimuli/nsd/nsd_stimuli.hdf5").unlink()
    assert "39.6 GB to come" in check_disk(study_of(ill)).checked


def test_a_study_that_writes_its_own_data():
    study = load_study(read_config([REPOSITORY / "config" / "demo.yaml"]))
    outcomes = examine(study, packages=False)
    assert findings(outcomes) == []
    assert outcomes[0].checked == "written by this study"


def test_no_data_set_is_one_finding(ill):
    shutil.rmtree(ill / "nsd")
    assert len(findings(examine(study_of(ill), packages=False))) == 1


def script(*arguments):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_the_script_as_json(sound, tmp_path):
    path = tmp_path / "local.yaml"
    path.write_text(yaml.safe_dump(config_of(sound)))
    status, out, _ = script("--configfile", str(path), "--no-packages", "--json")
    content = json.loads(out)
    # Mappings are merged: the checkpoints of config/checkpoints.yaml are there too, unused.
    assert (status, content["sound"], content["counts"]) == (
        0,
        True,
        {"error": 0, "warning": 0, "note": 0},
    )
    path.write_text("aplhas: 1\n")
    status, out, _ = script("--configfile", str(path), "--json")
    content = json.loads(out)
    assert status == 1
    assert not content["sound"]
    assert "unknown key" in content["checks"][0]["findings"][0]["fault"]


def test_an_unreadable_configuration(tmp_path, capsys):
    assert command.main(["--configfile", str(tmp_path / "local.yaml")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_nothing_is_written(sound):
    def listing():
        return {path: path.stat().st_mtime_ns for path in sound.rglob("*") if path.is_file()}

    before = listing()
    examine(study_of(sound), packages=False)
    assert listing() == before


def test_the_fraction_of_images_read_is_small(sound, monkeypatch):
    """No array of betas is read, and of the images a few only."""
    read = []
    original = h5py.Dataset.__getitem__

    def spy(self, key, *args):
        read.append((self.name, key))
        return original(self, key, *args)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", spy)
    examine(study_of(sound), packages=False)
    assert {name for name, _ in read} == {"/imgBrick"}
    assert len(np.unique([key for _, key in read])) == 16


def test_where_nothing_can_be_drawn_nothing_is_missing(ill, monkeypatch):
    study = study_of(ill)
    monkeypatch.setattr(type(study.dataset), "lie", "nowhere")
    outcome = check_flatmaps(study)
    assert outcome.findings == []
    assert outcome.checked == "none: the places of this data set lie nowhere"
