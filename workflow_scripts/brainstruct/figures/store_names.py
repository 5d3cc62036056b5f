"""What cortices are called in a study's own pycortex store."""

from __future__ import annotations

FSAVERAGE = "fsaverage5"
"""The average cortex."""


def name_in_store(source: str, subject: str, configured: str) -> str:
    """Return what a subject's cortex is called in the study's own pycortex store.

    Parameters
    ----------
    source : str
        Where it is taken from: ``store``, ``freesurfer`` or ``fsaverage``.
    subject : str
        Of the study.
    configured : str
        The subject's name in the filestore that it is taken from, if it is.
    """
    return {"store": configured, "freesurfer": subject, "fsaverage": FSAVERAGE}[source]
