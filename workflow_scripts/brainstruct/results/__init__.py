"""Finished results, for analyses of one's own: labelled arrays and tables.

Needs xarray, pandas and h5netcdf, and neither Snakemake nor the configuration:
what the study chose (ceiling, threshold, layer rule) is read from its results.

>>> import sys; sys.path.insert(0, "workflow_scripts")       # doctest: +SKIP
>>> from brainstruct.results import load_scores              # doctest: +SKIP
>>> load_scores("results", SUBJECT, "instructblip", "EBA")  # doctest: +SKIP
"""

from brainstruct.results.scores import load_scores
from brainstruct.results.tables import load_models, load_table
from brainstruct.results.winners import load_winners

__all__ = ["load_models", "load_scores", "load_table", "load_winners"]
