"""How many of everything the NSD has. Standard library only: read while rules are parsed."""

N_IMAGES = 73_000
"""Rows of imgBrick and of the stimulus table."""
IMAGE_SIZE = 425
"""Rows and columns of an image."""
N_POSITIONS = 10_000
"""Images planned for each subject."""
N_SHARED = 1_000
"""Images planned for all subjects; they take the first positions."""
N_OWN = N_POSITIONS - N_SHARED
"""Images planned for each subject alone."""
N_TRIALS = 30_000
"""Trials planned for each subject."""
N_REPETITIONS = 3
"""Trials planned for each image of a subject."""
TRIALS_PER_SESSION = 750
N_SESSIONS = N_TRIALS // TRIALS_PER_SESSION
RUN_TRIALS: tuple[int, ...] = (63, 62) * 6
"""Trials of the 12 runs of a session, blank ones left out."""
NOT_ASSIGNED = 0
"""Trial number of an image that was not planned for a subject."""
NO_COORDINATE = 9999.0
"""Coordinate, in transform files, of a point that has no counterpart."""
