"""mPLUG-Owl v1, which transformers does not have; see `family` for the way in."""

from brainstruct.models.mplug_owl.family import MPlugOwl

__all__ = ["MPlugOwl"]
