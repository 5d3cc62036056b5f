"""The whole processor of a checkpoint: prompt, image tokens and pixels as its authors made them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoImageProcessor, PreTrainedTokenizerFast, ProcessorMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
from transformers.utils import logging as transformers_logging

from brainstruct.errors import InputError
from brainstruct.models.files import fetch_cure, load_processor
from brainstruct.models.registry import IMAGES
from brainstruct.store.faults import reading
from brainstruct.store.files import read_json


def load_whole_processor(folder: Path, config: Any, tokenizer: PreTrainedTokenizerFast) -> Any:
    """Return what turns text with images into the inputs of a network of some configuration.

    Images are prepared by the code for PIL wherever the library has it, by that for torchvision,
    which resizes otherwise, where it has no other. Videos and sounds are left out. An `InputError`
    if a file is damaged, or the library refuses it.
    """
    what, cure = f"settings of a processor of {config.model_type}", fetch_cure(folder)
    there = [folder / name for name in reversed(IMAGES) if (folder / name).is_file()]
    named = [read_json(path, cure).get("processor_class") for path in there]
    # As the checkpoint names it: some types share those of others.
    kind: Any = getattr(transformers, str(next(filter(None, named), None)), None)
    if not (isinstance(kind, type) and issubclass(kind, ProcessorMixin)):
        kind = PROCESSOR_MAPPING.get(type(config), None)
    if kind is None:
        raise InputError(
            folder / "config.json",
            f"the library has no processor for {config.model_type}",
            "Name another checkpoint for this model",
        )
    images = load_processor(AutoImageProcessor, folder, backend="pil")
    parts = {"image_processor": images, "tokenizer": tokenizer}

    class Whole(kind):  # type: ignore[misc]
        """The same, without what it does not need for images."""

        @classmethod
        def _get_arguments_from_pretrained(cls, *_: Any, **__: Any) -> list[Any]:
            return [parts.get(name) for name in cls.get_attributes()]

        def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
            if argument is None:
                return None
            return super().check_argument_for_proper_class(name, argument)

    Whole.__name__ = kind.__name__
    with reading(folder, what, cure):
        processor = Whole.from_pretrained(folder, local_files_only=True)
    # Processors of 2023 left to the configuration how many tokens an image has.
    for name in ("patch_size", "vision_feature_select_strategy"):
        stated = getattr(config, name, getattr(getattr(config, "vision_config", None), name, None))
        if getattr(processor, name, stated) is None:
            setattr(processor, name, stated)
    return processor


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep reports of transformers out of batch logs, and progress bars from then on."""
    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        transformers_logging.set_verbosity(verbosity)
