"""Response states the straightforward way: keep every state, average afterwards.

What everybody would write first, and far too much memory for a real model. It
shares no code with the hooks that production uses, and plants the signals of
synthetic brains: what the workflow then finds back was not put there by itself.
"""

from collections.abc import Sequence

import torch
from PIL import Image

from brainstruct.models.responding import RespondingModel


def straightforward_states(
    model: RespondingModel, images: Sequence[Image.Image], instruction: str, layers: Sequence[int]
) -> torch.Tensor:
    """Mean states of the response tokens, from all states of a greedy generation.

    They are [stimulus, layer, feature], float32; of the layers, 0 are the token embeddings.
    A response without tokens takes the states of the last prompt position.
    """
    inputs = model.on_device(model.prepare(images, [instruction] * len(images)))
    config = model.decoding.greedy_config()
    config.output_hidden_states = True
    config.return_dict_in_generate = True
    with torch.inference_mode():
        output = model.generate(inputs, generation_config=config)
    steps = output.hidden_states  # step 0 is the prompt, step t feeds response token t
    tokens = output.sequences[:, -len(steps) :]
    fed = torch.cat([inputs["input_ids"][:, -1:], tokens[:, :-1]], dim=1)
    with torch.inference_mode():
        embeddings = model.body.embed_tokens(fed).float()
    # What IDEFICS reports as its first state has already been through cross-attention.
    per_step = [
        [states[layer][:, -1].float() if layer else embeddings[:, step] for layer in layers]
        for step, states in enumerate(steps)
    ]
    chosen = torch.stack([torch.stack(states, dim=1) for states in per_step])
    # chosen: [step, stimulus, layer, feature]
    pooled = model.decoding.parts(tokens, inputs["input_ids"]).pooled
    means = [
        chosen[1:, row][own].mean(0) if own.any() else chosen[0, row]
        for row, own in enumerate(pooled[:, :-1])
    ]
    return torch.stack(means).cpu()
