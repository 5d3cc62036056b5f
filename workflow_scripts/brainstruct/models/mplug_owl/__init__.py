"""mPLUG-Owl v1, which transformers does not have; see `family` for the way in."""
