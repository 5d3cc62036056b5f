"""Dimensions of mPLUG-Owl, as the published ``config.json`` states them.

Defaults are those of the published 7B checkpoint. Fields of the file that only
matter for training or for text generation in general are ignored.

No postponed annotations here: `strict` checks values against the types of the
fields, which it must find evaluated.
"""

from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from transformers import LlamaConfig, PreTrainedConfig


@strict
class _TransformerConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """What the vision tower and the abstractor state of themselves."""

    part: ClassVar[str]

    hidden_size: int = 1024
    intermediate_size: int = 4096
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    layer_norm_eps: float = 1e-6

    def validate_architecture(self) -> None:
        """Check that heads divide the width."""
        width, heads = self.hidden_size, self.num_attention_heads
        if width % heads:
            raise ValueError(f"the {self.part} width {width} is no multiple of its {heads} heads")


@strict
class MPlugOwlVisionConfig(_TransformerConfig):  # type: ignore[no-untyped-call]
    """Dimensions of the vision tower, a CLIP ViT-L/14."""

    part = "vision"
    model_type = "mplug_owl_vision_model"
    base_config_key = "vision_config"

    num_channels: int = 3
    image_size: int = 224
    patch_size: int = 14
    hidden_act: str = "quick_gelu"


@strict
class MPlugOwlAbstractorConfig(_TransformerConfig):  # type: ignore[no-untyped-call]
    """Dimensions of the visual abstractor, which condenses patches into a few queries."""

    part = "abstractor"
    model_type = "mplug_owl_visual_abstract"
    base_config_key = "visual_abstractor_config"

    encoder_hidden_size: int = 1024
    num_hidden_layers: int = 6

    def validate_architecture(self) -> None:
        """Check what the attention over queries and patches together presumes."""
        super().validate_architecture()
        if self.hidden_size != self.encoder_hidden_size:
            raise ValueError(
                f"the abstractor attends to queries of width {self.hidden_size} and patches of "
                f"width {self.encoder_hidden_size} in one sequence: the widths must be equal"
            )


@strict
class MPlugOwlConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Vision tower, abstractor and language model together.

    A `StrictDataclassError` (of huggingface_hub) if a field is of the wrong type, or the parts do
    not fit each other.
    """

    model_type = "mplug-owl"
    sub_configs_defaults: ClassVar[dict[str, Any]] = {
        "vision_config": MPlugOwlVisionConfig,
        "visual_abstractor_config": MPlugOwlAbstractorConfig,
        "text_config": LlamaConfig,
    }

    vision_config: dict[str, Any] | PreTrainedConfig | None = None
    visual_abstractor_config: dict[str, Any] | PreTrainedConfig | None = None
    text_config: dict[str, Any] | PreTrainedConfig | None = None
    num_query_tokens: int = 64
    initializer_range: float = 0.02

    def validate_architecture(self) -> None:
        """Check that the tower's patches fit the abstractor."""
        parts: Any = self
        found = parts.vision_config.hidden_size
        expected = parts.visual_abstractor_config.encoder_hidden_size
        if found != expected:
            raise ValueError(
                f"the vision tower is {found} wide, but the abstractor expects {expected}"
            )

    @property
    def image_length(self) -> int:
        """Vectors that stand for one image in the prompt: the queries and an end mark."""
        return self.num_query_tokens + 1
