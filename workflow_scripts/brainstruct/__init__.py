"""Brain alignment of instruction-tuned multimodal models.

The package is imported by the scripts of the workflow; Snakemake puts its
folder on ``sys.path``, so nothing has to be installed.
"""

__version__ = "0.1.0"

FORMAT_VERSION = 4
"""Bumped when the layout of stored files changes; part of every stage's identity."""
