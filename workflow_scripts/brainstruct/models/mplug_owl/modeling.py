"""mPLUG-Owl v1 (Ye et al. 2023, arXiv 2304.14178) for current transformers.

A vision tower, an abstractor that condenses the image into 65 vectors, and a LLaMA that reads them
in place of the image's position in the prompt. Modules carry the names of the published parameters,
so the published state dict loads as it is.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import LlamaForCausalLM, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutputWithPast

from brainstruct.models.mplug_owl.configuration import MPlugOwlConfig
from brainstruct.models.mplug_owl.prompt import IMAGE_ID
from brainstruct.models.mplug_owl.vision import Abstractor, VisionTower


class MPlugOwlForConditionalGeneration(PreTrainedModel):
    """The whole model: vision tower, abstractor with the queries it starts from, LLaMA."""

    config: MPlugOwlConfig
    config_class = MPlugOwlConfig
    main_input_name = "input_ids"
    _supports_sdpa = True

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        reader, text = config.visual_abstractor_config, config.text_config
        self.vision_model = VisionTower(config.vision_config)
        self.query_tokens = nn.Parameter(
            torch.zeros(1, config.num_query_tokens, reader.hidden_size)
        )
        self.abstractor = Abstractor(reader, text.hidden_size)
        self.language_model: Any = LlamaForCausalLM(text)
        self.post_init()  # type: ignore[no-untyped-call]

    def encode_images(self, pixels: Tensor) -> Tensor:
        """Map [image, channel, row, column] to [image, query + 1, language feature]."""
        patches = self.vision_model(pixels.to(self.query_tokens.dtype))
        queries = self.query_tokens.expand(len(pixels), -1, -1)
        vectors: Tensor = self.abstractor(queries, patches)
        return vectors

    def embed_prompt(self, input_ids: Tensor, image_vectors: Tensor) -> Tensor:
        """Embed prompts, as [prompt, position, feature], with the images' vectors in place.

        `input_ids` [prompt, position] have `IMAGE_ID` at each position of an image; `image_vectors`
        are [image, query + 1, feature], in the order of the prompts. A `ValueError` if the prompts
        have not as many positions for images as there are vectors.
        """
        is_image = input_ids == IMAGE_ID
        n_vectors = image_vectors.shape[0] * image_vectors.shape[1]
        # One synchronisation with the device per batch buys a message that names the fault.
        n_positions = int(is_image.sum())
        if n_positions != n_vectors:
            raise ValueError(
                f"the prompts have {n_positions} positions for images, "
                f"but the images have {n_vectors} vectors"
            )
        embedded: Tensor = self.get_input_embeddings()(input_ids.masked_fill(is_image, 0))
        return embedded.masked_scatter(is_image.unsqueeze(-1), image_vectors.to(embedded.dtype))

    def forward(
        self, input_ids: Tensor, pixel_values: Tensor, **kwargs: Any
    ) -> CausalLMOutputWithPast:
        """Run the language model, which is passed the `kwargs`, once over prompts with images."""
        embedded = self.embed_prompt(input_ids, self.encode_images(pixel_values))
        output: CausalLMOutputWithPast = self.language_model(inputs_embeds=embedded, **kwargs)
        return output

    @torch.no_grad()
    def generate(self, input_ids: Tensor, pixel_values: Tensor | None = None, **kwargs: Any) -> Any:
        """Return token ids of responses, or an object that holds them, without the prompts.

        The `kwargs` are for the library's `generate`. The prompts are taken as unpadded if there is
        no ``attention_mask``. Where ``past_key_values`` hold the images, there are no pixels.
        """
        if pixel_values is None:
            embedded = self.get_input_embeddings()(input_ids.clamp_min(0))
        else:
            embedded = self.embed_prompt(input_ids, self.encode_images(pixel_values))
        kwargs.setdefault("attention_mask", torch.ones_like(input_ids))
        return self.language_model.generate(inputs_embeds=embedded, **kwargs)
