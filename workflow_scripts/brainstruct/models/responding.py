"""The part that all models share that answer an instruction about an image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, ClassVar

from transformers import PreTrainedTokenizerFast

from brainstruct.models.decoding import Decoding
from brainstruct.models.interface import STIMULUS, Batch, FeatureModel, Features, ModelOptions
from brainstruct.models.loading import placement
from brainstruct.models.registry import Modality
from brainstruct.models.response import Decoder, respond


class RespondingModel(FeatureModel):
    """A model that answers an instruction about an image.

    A family says how a checkpoint is read (`load`), how a prompt is written
    (`prepare`) and where its decoder is.

    Parameters
    ----------
    options : ModelOptions
        How the model was loaded.
    network : transformers.PreTrainedModel
        Loaded and placed.
    body : torch.nn.Module
        Its decoder, with ``embed_tokens``, ``layers`` and ``norm``, and the
        ``hidden_size`` of its configuration.
    tokenizer : transformers.PreTrainedTokenizerFast or alike
        Turns response tokens into text.
    end_ids : collection of int
        Tokens that end a response.
    pad_id : int
        What fills rows that have ended.
    forbidden_ids : tuple of int
        Tokens that no response may hold.

    Attributes
    ----------
    decoder : Decoder
        The parts of the language model that are listened to.
    decoding : Decoding
        How responses are decoded.
    """

    modality: ClassVar[Modality] = "image+instruction"
    decoder: Decoder
    tokenizer: PreTrainedTokenizerFast
    decoding: Decoding

    def __init__(
        self,
        options: ModelOptions,
        network: Any,
        body: Any,
        tokenizer: Any,
        *,
        end_ids: Collection[int],
        pad_id: int,
        forbidden_ids: tuple[int, ...] = (),
    ) -> None:
        self.options = options
        self.network = network
        self.device, self.dtype = placement(options)
        self.decoder = Decoder(body, body.embed_tokens, list(body.layers), body.norm)
        self.n_layers = self.decoder.n_layers
        self.feature_dim = body.config.hidden_size
        self.tokenizer = tokenizer
        self.decoding = Decoding(
            max_new_tokens=options.max_new_tokens,
            end_ids=frozenset(end_ids),
            sampling=options.sampling,
            pad_id=pad_id,
            forbidden_ids=forbidden_ids,
        )

    def generate(self, batch: Batch, **settings: Any) -> Any:
        """Run the network's own generation.

        Parameters
        ----------
        batch : Batch
            What `prepare` returned, moved by `on_device`. It holds at least
            ``input_ids`` and ``attention_mask`` [stimulus, prompt position].
        **settings
            All that ``generate`` needs besides: a complete ``generation_config``,
            perhaps a ``logits_processor``.

        Returns
        -------
        torch.Tensor or transformers.generation.GenerateDecoderOnlyOutput
            As the configuration asks: token ids [stimulus, time] or an object with
            ``sequences`` and ``hidden_states``.
        """
        return self.network.generate(**batch, **settings)

    def forward(self, batch: Batch) -> Features:
        """Respond to a batch and pool the decoder's states on the way."""
        inputs = self.on_device(batch)
        stimuli = inputs.pop(STIMULUS, None)
        return respond(
            self.decoder,
            lambda **settings: self.generate(inputs, **settings),
            self.decode,
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            pooling=self.options.pooling,
            decoding=self.decoding,
            stimuli=stimuli,
        )

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn the tokens of one response into text."""
        return str(self.tokenizer.decode(list(tokens), skip_special_tokens=True)).strip()


def shared_instruction(texts: Sequence[str]) -> str:
    """Return the one instruction of a batch.

    Raises
    ------
    ValueError
        If the batch has several: they would have to be padded to one length,
        and models with absolute positions (the Q-Former of InstructBLIP) then
        see another prompt than they would alone.
    """
    different = set(texts)
    if len(different) != 1:
        raise ValueError(f"a batch takes one instruction for all, got {len(different)}")
    return different.pop()
