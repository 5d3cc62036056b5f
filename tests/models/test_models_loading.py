from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from brainstruct.errors import InputError
from brainstruct.models import tokens
from brainstruct.models.interface import ModelOptions
from brainstruct.models.loading import require_effect
from brainstruct.models.opening import family_class

INSTRUCTION = "What is in this image?"


@pytest.fixture
def folder(request, checkpoint, tmp_path):
    """A copy of a checkpoint, to be damaged."""
    kind = getattr(request, "param", "instructblip")
    return shutil.copytree(checkpoint(kind), tmp_path / kind)


def load(folder, family="instructblip", **options):
    return family_class(family).load(
        ModelOptions(folder, **{"n_layers": 5, "max_new_tokens": 4, **options})
    )


def edit_json(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, **changes}))


def read_weights(folder):
    """All tensors of a checkpoint, which loses its files of them."""
    tensors = {}
    for path in sorted(folder.glob("model*.safetensors*")):
        if path.suffix == ".safetensors":
            tensors |= load_file(path)
        path.unlink()
    return tensors


def write_weights(folder, tensors):
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def edit_weights(folder, change):
    tensors = read_weights(folder)
    change(tensors)
    write_weights(folder, tensors)


def test_no_folder(tmp_path):
    with pytest.raises(InputError, match=r"no such checkpoint.*fetch_checkpoint"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "name",
    ["config.json", "tokenizer.json", "model.safetensors", "qformer_tokenizer/tokenizer.json"],
)
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(InputError, match=rf"lacks .*{name.rpartition('/')[2]}.*fetch_checkpoint"):
        load(folder)


def test_a_missing_processor_is_named(folder):
    (folder / "preprocessor_config.json").unlink()
    (folder / "processor_config.json").unlink()
    with pytest.raises(InputError, match=r"lacks preprocessor_config\.json or processor_config"):
        load(folder)


def test_settings_of_a_processor_are_none_of_images(folder):
    (folder / "preprocessor_config.json").unlink()
    assert (folder / "processor_config.json").exists()
    with pytest.raises(InputError, match=r"lacks preprocessor_config\.json\. Fetch"):
        load(folder)


def test_missing_shards_are_named(folder):
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    weight_map = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": weight_map}))
    with pytest.raises(InputError, match=r"lacks model-00002-of-00002\.safetensors"):
        load(folder)


def test_a_damaged_config(folder):
    (folder / "config.json").write_text('{"model_type": ')
    with pytest.raises(InputError, match=r"config\.json: is damaged or no JSON"):
        load(folder)


def test_another_family(folder):
    with pytest.raises(InputError, match=r"model_type is 'instructblip', this family runs idefics"):
        load(folder, "idefics")


def test_another_language_model(folder):
    edit_json(folder / "config.json", text_config={"model_type": "t5"})
    with pytest.raises(InputError, match="language model is 't5'"):
        load(folder)


@pytest.mark.parametrize(
    ("folder", "family"),
    [
        ("instructblip", "instructblip"),
        ("idefics", "idefics"),
        ("llava", "llava"),
        ("vit", "vit"),
        ("clip", "clip-image"),
        ("clip", "clip-text"),
    ],
    indirect=["folder"],
)
def test_another_number_of_layers(folder, family):
    found = 13 if family == "clip-text" else 5
    with pytest.raises(InputError, match=rf"has {found} hidden states.*n_layers: 41.*Set n_lay"):
        load(folder, family, n_layers=41)


@pytest.mark.parametrize("size", [0, 100, 100_000])
def test_cut_weights(folder, size):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(
        InputError, match=r"model\.safetensors: is (damaged or no file of weights|empty)"
    ):
        load(folder)


def test_lacking_weights_are_not_drawn_at_random(folder):
    edit_weights(folder, lambda tensors: tensors.pop("language_projection.weight"))
    with pytest.raises(InputError, match=r"lack 1 of \d+ tensors.*language_projection\.weight"):
        load(folder)


def test_the_first_three_of_many_tensors_are_named(folder):
    def pop(tensors):
        for name in [name for name in tensors if name.startswith("qformer.")]:
            del tensors[name]

    edit_weights(folder, pop)
    with pytest.raises(InputError, match=r"lack \d+ of \d+ tensors \((qformer[\w.]+, ){3}\.\.\)"):
        load(folder)


def test_weights_of_another_shape(folder):
    def widen(tensors):
        tensors["language_projection.weight"] = torch.zeros(3, 3)

    edit_weights(folder, widen)
    with pytest.raises(
        InputError, match=r"another shape.*language_projection\.weight: \[3, 3\], not"
    ):
        load(folder)


def test_unknown_weights_are_named(folder):
    def add(tensors):
        tensors["adapter.weight"] = torch.zeros(2)
        tensors["language_model.model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(2)

    edit_weights(folder, add)
    with pytest.raises(InputError, match=r"hold 1 tensors .* does not know \(adapter\.weight\)"):
        load(folder)
    # Settings that follow from the dimensions are harmless, however they are named.
    edit_weights(folder, lambda tensors: tensors.pop("adapter.weight"))
    load(folder)


def test_pickled_weights_that_run_code_are_refused(folder, tmp_path):
    class Harmful:
        def __reduce__(self):
            return Path.touch, (tmp_path / "executed",)

    tensors = read_weights(folder)
    torch.save({**tensors, "query_tokens": Harmful()}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"hold more than tensors, which is unsafe.*fetch_check"):
        load(folder)
    assert not (tmp_path / "executed").exists()


def blind_idefics(tensors):
    for name, values in tensors.items():
        if "alpha_" in name:
            values.zero_()


def blind_instructblip(tensors):
    tensors["language_projection.weight"].zero_()


def blind_llava(tensors):
    tensors["multi_modal_projector.linear_1.weight"].zero_()


@pytest.mark.parametrize(
    ("folder", "family", "blind"),
    [
        ("idefics", "idefics", blind_idefics),
        ("instructblip", "instructblip", blind_instructblip),
        ("llava", "llava", blind_llava),
    ],
    indirect=["folder"],
)
def test_a_blind_model_is_refused(folder, family, blind):
    edit_weights(folder, blind)
    with pytest.raises(InputError, match="the model is blind"):
        load(folder, family)


@pytest.mark.parametrize(
    "settings",
    [
        {"do_sample": True, "temperature": 5.0, "num_beams": 4, "repetition_penalty": 9.0},
        {"no_repeat_ngram_size": 1},
    ],
    ids=["sampling", "repeats"],
)
@pytest.mark.parametrize(
    ("folder", "family"),
    [(name, name) for name in ("instructblip", "idefics", "llava")],
    indirect=["folder"],
)
def test_settings_for_generation_are_ignored(folder, family, settings, pictures):
    expected = load(folder, family).embed(pictures(3), [INSTRUCTION] * 3)
    edit_json(folder / "generation_config.json", **settings)
    found = load(folder, family).embed(pictures(3), [INSTRUCTION] * 3)
    assert torch.equal(found.states, expected.states)


def test_end_tokens_of_the_checkpoint_count(folder):
    edit_json(folder / "generation_config.json", eos_token_id=40)
    assert load(folder).decoding.end_ids == {2, 40}


@pytest.mark.parametrize("content", ["{", "[]", '{"eos_token_id": "</s>"}', "\udcff"])
@pytest.mark.parametrize("random_seed", [None, 1])
def test_damaged_generation_settings(folder, content, random_seed):
    path = folder / "generation_config.json"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(InputError, match=r"/generation_config\.json: .*fetch_checkpoint"):
        load(folder, random_seed=random_seed)


def test_a_tokenizer_that_is_altered_on_loading(folder, monkeypatch):
    original = tokens.PreTrainedTokenizerFast.from_pretrained

    def altered(*arguments, **options):
        tokenizer = original(*arguments, **options)
        tokenizer.backend_tokenizer.normalizer = None
        return tokenizer

    monkeypatch.setattr(tokens.PreTrainedTokenizerFast, "from_pretrained", altered)
    with pytest.raises(InputError, match=r"loaded so that it gives"):
        load(folder)


def test_a_damaged_tokenizer(folder):
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match=r"tokenizer\.json: is damaged"):
        load(folder)


def test_a_tokenizer_is_asked_of_its_folder_alone(checkpoint):
    assert tokens.load_tokenizer(checkpoint("llava")).init_kwargs["local_files_only"]


def test_a_prompt_without_bos(folder):
    edit_json(folder / "tokenizer.json", post_processor=None)
    with pytest.raises(InputError, match=r"prompt starts with id \d+, its BOS token '</s>' is 2"):
        load(folder)


def test_older_checkpoints_have_binary_weights(folder, pictures):
    expected = load(folder).embed(pictures(2), [INSTRUCTION] * 2).states
    tensors = read_weights(folder)
    torch.save(tensors, folder / "pytorch_model.bin")
    assert torch.equal(load(folder).embed(pictures(2), [INSTRUCTION] * 2).states, expected)


def test_bfloat16(folder, pictures):
    exact = load(folder).embed(pictures(2), [INSTRUCTION] * 2)
    model = load(folder, dtype="bfloat16", pooling="last_prompt_token")
    assert model.dtype == torch.bfloat16
    found = model.embed(pictures(2), [INSTRUCTION] * 2)
    assert found.states.dtype == torch.float32
    assert found.states.shape == exact.states.shape


@pytest.fixture
def card(monkeypatch):
    """A GPU of any capability, seen through stand-ins, and a PyTorch with code from 7.0 on."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "card")
    codes = ["sm_70", "sm_75", "sm_80", "sm_90", "compute_90"]
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: codes)

    def put(capability):
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: capability)

    return put


@pytest.mark.parametrize(
    ("capability", "dtype"),
    [((7, 0), "float16"), ((7, 5), "float16"), ((8, 0), "bfloat16"), ((12, 0), "bfloat16")],
)
def test_the_usual_precision_is_one_that_the_card_has(tmp_path, card, capability, dtype):
    card(capability)
    cuda = torch.device("cuda")
    assert ModelOptions(tmp_path, 5).placement() == (cuda, getattr(torch, dtype))
    assert ModelOptions(tmp_path, 5, dtype="float32").placement() == (cuda, torch.float32)
    assert ModelOptions(tmp_path, 5, device="cpu").placement()[1] == torch.float32


def test_amd_s_cards_have_numbers_of_their_own(tmp_path, card, monkeypatch):
    card((7, 0))
    monkeypatch.setattr(torch.version, "hip", "7.0")
    assert ModelOptions(tmp_path, 5).placement()[1] == torch.bfloat16


def test_a_card_without_code_is_refused_before_anything_is_loaded(tmp_path, card):
    card((6, 1))
    with pytest.raises(InputError, match=r"card has compute capability 6\.1.*7\.0, 7\.5, 8\.0"):
        ModelOptions(tmp_path, 5).placement()
    assert ModelOptions(tmp_path, 5, device="cpu").placement()[0].type == "cpu"


def seen(first, second):
    """A model whose states of two images are given, (layer, feature)."""
    states = torch.stack([torch.as_tensor(first), torch.as_tensor(second)]).float()
    return SimpleNamespace(
        options=SimpleNamespace(checkpoint="folder", empty=False),
        dtype=torch.float16,
        modality="image",
        embed=lambda *a, **k: SimpleNamespace(states=states),
    )


INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize(
    "broken",
    [
        ([[INF, INF]] * 2, [[INF, INF]] * 2),
        ([[1.0, 2.0], [3.0, -INF]], [[1.0, 2.0], [3.0, 4.0]]),
        ([[1.0, 2.0], [3.0, 4.0]], [[NAN, 2.0], [3.0, 4.0]]),
        ([[1.0, 2.0], [NAN, NAN]], [[1.5, 2.0], [NAN, NAN]]),
    ],
)
def test_states_beyond_the_precision_are_not_called_blind(broken):
    with pytest.raises(InputError, match=r"not finite in float16.*embedding\.dtype: float32"):
        require_effect(seen(*broken))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([[0.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [2.0, 1.0]]),  # a layer without states decides not
        ([[0.0, 0.0], [1.0, 2.0]], [[1.0, 0.0], [1.0, 2.0]]),
    ],
)
def test_layers_without_states_are_no_blindness(first, second):
    require_effect(seen(first, second))
    with pytest.raises(InputError, match="blind: two different stimuli change its states by 0 "):
        require_effect(seen(first, first))


def test_a_model_that_does_not_tell_dark_from_bright_is_not_called_blind():
    def embed(images, texts, stimuli):
        contrast = [np.abs(np.asarray(image, float) - 127.5)[..., :1] for image in images]
        states = torch.tensor(np.stack([one.reshape(1, -1) for one in contrast]))
        return SimpleNamespace(states=states)

    model = seen([[1.0]], [[1.0]])
    model.embed = embed
    require_effect(model)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_placement_without_gpu(tmp_path):
    options = ModelOptions(tmp_path, 5)
    assert options.placement() == (torch.device("cpu"), torch.float32)
    with pytest.raises(InputError, match=r"sees no CUDA device.*gpu"):
        ModelOptions(tmp_path, 5, device="cuda").placement()


@pytest.mark.parametrize("folder", ["llava"], indirect=True)
@pytest.mark.parametrize(
    ("name", "change", "fault"),
    [
        ("config.json", {"image_token_index": 5}, "image_token_index is 5, the tokenizer says 768"),
        (
            "config.json",
            {"text_config": {"model_type": "mistral"}},
            "has 33 hidden states",
        ),
        ("config.json", {"vision_config": {"model_type": "siglip_vision_model"}}, "its weights"),
        (
            "processor_config.json",
            {"image_processor": {"size": 56, "crop_size": 56}},
            "no checkpoint whose processor suits its network",
        ),
    ],
)
def test_parts_of_llava_that_do_not_fit(folder, name, change, fault):
    edit_json(folder / name, **change)
    with pytest.raises(InputError, match=fault):
        load(folder, "llava")


@pytest.mark.parametrize("folder", ["llava"], indirect=True)
def test_llava_under_the_names_of_the_published_weights(folder, pictures):
    expected = load(folder, "llava").embed(pictures(2), [INSTRUCTION] * 2).states
    tensors = read_weights(folder)
    tower = "vision_tower."
    published = {
        name.replace(tower, f"{tower}vision_model.") if name.startswith(tower) else name: values
        for name, values in tensors.items()
    }
    published[f"{tower}vision_model.embeddings.position_ids"] = torch.arange(17)[None]
    write_weights(folder, published)
    assert {name.partition(".")[0] for name in published} == {
        "language_model",
        "multi_modal_projector",
        "vision_tower",
    }
    assert torch.equal(load(folder, "llava").embed(pictures(2), [INSTRUCTION] * 2).states, expected)


@pytest.mark.parametrize("folder", ["llava"], indirect=True)
@pytest.mark.parametrize(("strategy", "count"), [("default", 16), ("full", 17)])
def test_llava_has_a_token_for_each_patch_and_for_the_class_token_if_it_counts(
    folder, pictures, strategy, count
):
    for name in ("config.json", "processor_config.json"):
        edit_json(folder / name, vision_feature_select_strategy=strategy)
    ids = load(folder, "llava").prepare(pictures(1), [INSTRUCTION])["input_ids"]
    assert int((ids == 768).sum()) == count


@pytest.mark.parametrize("folder", ["clip"], indirect=True)
@pytest.mark.parametrize("family", ["clip-image", "clip-text"])
def test_clip_with_what_the_published_weights_hold_besides(folder, family, pictures):
    def states():
        model = load(folder, family, n_layers={"clip-text": 13}.get(family, 5))
        return model.embed(pictures(2), ["a cat", "a dog"]).states

    expected = states()
    tensors = read_weights(folder)
    assert {"text_model", "vision_model", "logit_scale"} <= {
        name.partition(".")[0] for name in tensors
    }
    for tower in ("text", "vision"):
        tensors[f"{tower}_model.embeddings.position_ids"] = torch.arange(5)[None]
    write_weights(folder, tensors)
    assert torch.equal(states(), expected)
    # What the tower itself lacks is still missed.
    own = "text" if family == "clip-text" else "vision"
    name = next(name for name in tensors if name.startswith(f"{own}_model.encoder"))
    edit_weights(folder, lambda held: held.pop(name))
    with pytest.raises(InputError, match=r"lack 1 of \d+ tensors"):
        states()
