"""The demo, with other seeds: what was planted must be found back, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest
import yaml
from checkout import Checkout

from brainstruct.store import read_dataset, read_table

pytestmark = pytest.mark.study


def configure(checkout: Checkout, name: str, **synthetic) -> tuple[str, str]:
    """Write a variation of the demo's configuration; return Snakemake's option for it."""
    config = yaml.safe_load((checkout.root / "config/demo.yaml").read_text())
    config["results"] = f"results/{name}"
    config["data"]["nsd_root"] = f"resources/{name}/nsd"
    config["models"] = config["models"][:1]
    config["synthetic"].update(synthetic)
    (checkout.root / f"{name}.yaml").write_text(yaml.safe_dump(config))
    return "--configfile", f"{name}.yaml"


def reseed(checkout: Checkout, seed: int) -> dict[str, object]:
    config = yaml.safe_load((checkout.root / "config/demo.yaml").read_text())["synthetic"]
    for number, tiny in enumerate(config["checkpoints"].values()):
        tiny["seed"] = seed + number
    return {"seed": seed, "checkpoints": config["checkpoints"]}


@pytest.fixture(scope="module")
def seeded(tmp_path_factory) -> Checkout:
    """The demo with another seed for images, networks and brains; both subjects."""
    checkout = Checkout.fresh(tmp_path_factory.mktemp("seeded") / "checkout")
    options = configure(checkout, "one", **reseed(checkout, 11))
    checkout.run("results/one/tables/recovery.tsv", *options, timeout=900)
    return checkout


def check_recovery(checkout: Checkout, name: str) -> None:
    table = read_table(checkout.root / f"results/{name}/tables/recovery.tsv")
    whole = table[table["roi"] == "all"].set_index("subject")
    print(whole[["n_reliable", "instruction_found", "layer_found"]].to_string())
    assert (whole["n_reliable"] > 1000).all()
    assert (whole["instruction_found"] >= 0.9).all()
    assert (whole["layer_found"] >= 0.75).all()


def test_planted_instructions_and_layers_are_found(seeded):
    check_recovery(seeded, "one")


def test_another_seed_is_found_too(tmp_path):
    checkout = Checkout.fresh(tmp_path / "checkout")
    config = reseed(checkout, 23)
    options = configure(checkout, "two", **config)
    path = checkout.root / "two.yaml"
    study = yaml.safe_load(path.read_text())
    study["subjects"] = ["subj01"]
    path.write_text(yaml.safe_dump(study))
    checkout.run("results/two/tables/recovery.tsv", *options, timeout=900)
    check_recovery(checkout, "two")


def test_pure_noise_is_not_predicted(seeded):
    """Same images and networks; brains of noise alone."""
    path = seeded.root / "one.yaml"
    study = yaml.safe_load(path.read_text())
    study["synthetic"]["signal"] = 0.0
    study["subjects"] = ["subj01"]
    path.write_text(yaml.safe_dump(study))
    fits = [f"results/one/scores/subj01/{model['key']}.nc" for model in study["models"]]
    plan = seeded.run("-n", *fits, "--configfile", "one.yaml")
    assert "embed" not in plan.jobs
    seeded.run(*fits, "--configfile", "one.yaml", timeout=900)
    scores = read_dataset(seeded.root / fits[0])
    space = read_dataset(seeded.root / "results/one/responses/subj01.nc")
    r = scores["r"].values
    # Feature spaces share the images and the noise, so one mean over all of them has
    # the error of one feature space: the voxels' noise is independent.
    one_space = r.reshape(-1, r.shape[-1]).mean(0)
    error = one_space.std(ddof=1) / np.sqrt(one_space.size)
    print(f"mean r {one_space.mean():+.4f}, standard error {error:.4f}")
    assert abs(one_space.mean()) < 3 * error
    assert json.loads(space.attrs["roi_labels"])
