"""How large a rehearsal is: the data set's and the networks' sizes, or parts of them."""

from dataclasses import dataclass
from typing import Any, Self

GRID = (81, 104, 83)
"""Voxels of subj01's functional volume along x, y and z."""

SESSIONS, SHARED_PER_SESSION, OWN_PER_SESSION = 40, 25, 225
"""Three repetitions of so many images fill sessions of 750 trials: 10,000 images in all."""

VOXELS, WIDTH, N_LAYERS = 15_724, 4096, 33
"""Of subj01's nsdgeneral, and of a 7B language model."""

LAYERS = (8, 16, 24)
"""That are stored and fitted."""


@dataclass(frozen=True)
class Size:
    """Sizes of one subject's study.

    Attributes
    ----------
    images, voxels : float
        Shares of the true numbers; images come in whole sessions of 250.
    width : int
        Features of a layer.
    """

    images: float = 1.0
    voxels: float = 1.0
    width: int = WIDTH

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``full``, ``other``, or ``images=0.5,voxels=0.33,width=1280`` or a part of that."""
        if text in NAMED:
            return NAMED[text]
        pairs = dict(part.split("=", 1) for part in text.split(","))
        given: dict[str, Any] = {
            name: int(value) if name == "width" else float(value) for name, value in pairs.items()
        }
        return cls(**given)

    @property
    def sessions(self) -> int:
        """Sessions of 750 trials."""
        return max(1, round(SESSIONS * self.images))

    @property
    def shared(self) -> int:
        """Images that are shown to all."""
        return SHARED_PER_SESSION * self.sessions

    @property
    def own(self) -> int:
        """Images that are shown to this subject alone."""
        return OWN_PER_SESSION * self.sessions

    @property
    def n_voxels(self) -> int:
        """Voxels of the mask."""
        return round(VOXELS * self.voxels)

    def about(self, voxels: int) -> str:
        """Say how large a study is that has so many voxels."""
        return (
            f"{self.shared + self.own:,} images, {self.sessions} sessions, {voxels:,} voxels, "
            f"{len(LAYERS)} layers of {self.width:,} features"
        )


NAMED = {"full": Size(), "other": Size(0.5, 0.33, 1280)}
