"""What cortices are called in a study's own pycortex store."""

FSAVERAGE = "fsaverage5"
"""The average cortex."""


def name_in_store(source: str, subject: str, configured: str) -> str:
    """Return the name of a subject's cortex, given where it is taken from.

    `configured` is its name in the filestore, if it is taken from there.
    """
    return {"store": configured, "freesurfer": subject, "fsaverage": FSAVERAGE}[source]
