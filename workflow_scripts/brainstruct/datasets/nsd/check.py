"""Checks that everything a study reads is on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from brainstruct.datasets.nsd.layout import BUCKET
from brainstruct.errors import InputError

SHOWN = 12


def require_nsd(root: str, files: Sequence[str], otherwise: str = "") -> list[dict[str, object]]:
    """Check that files exist and are not empty.

    Parameters
    ----------
    root : str
        Root of the data set.
    files : sequence of str
        What is needed.
    otherwise : str
        What one can do without, for the message.

    Returns
    -------
    list of dict
        ``path`` and ``bytes`` of every file.

    Raises
    ------
    InputError
        One message that lists what is missing and how to get it.
    """
    sizes = {name: Path(name).stat().st_size if Path(name).is_file() else 0 for name in files}
    missing = [name for name, size in sizes.items() if size == 0]
    if missing:
        listed = "\n  ".join(missing[:SHOWN])
        more = f"\n  and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
        raise InputError(
            root,
            f"{len(missing)} of {len(files)} files that this study needs are missing or empty:"
            f"\n  {listed}{more}\n",
            "Set data.nsd_root to your copy of the Natural Scenes Dataset, or get the files: "
            "accept the terms at naturalscenesdataset.org, then `make fetch_nsd CONFIG=YOUR.yaml` "
            f"or for each path `aws s3 cp --no-sign-request {BUCKET}/PATH {root}/PATH`; the COCO "
            f"captions are in annotations_trainval2017.zip of cocodataset.org{otherwise}",
        )
    return [{"path": name, "bytes": size} for name, size in sizes.items()]
