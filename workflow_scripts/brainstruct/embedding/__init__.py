"""Turns blocks of stimuli into labelled arrays, resumably."""
