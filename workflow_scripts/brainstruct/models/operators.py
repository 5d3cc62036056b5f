"""Lets torchvision be imported beside a PyTorch that its compiled part was not made for.

Preparing images takes its code in Python alone, but without the compiled part, as beside a
PyTorch for CPUs, its import stops at two operators that it describes.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder

_ARGUMENTS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


class Declaring(MetaPathFinder):
    """Finds no module; declares the operators just before their descriptions are imported."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> None:  # noqa: ARG002
        """Declare them, unless the compiled part is there, which is loaded first."""
        described = name == "torchvision._meta_registrations"
        if described and not sys.modules["torchvision.extension"]._has_ops():
            # Kept: operators go with the library that declares them.
            self.library = sys.modules["torch"].library.Library("torchvision", "FRAGMENT")
            for operator in ("nms", "qnms"):
                self.library.define(operator + _ARGUMENTS)
