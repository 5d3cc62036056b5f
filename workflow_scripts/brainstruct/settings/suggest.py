"""Suggestions for misspelt names."""

from collections.abc import Iterable
from difflib import get_close_matches
from unicodedata import name as called

from pydantic import AfterValidator

MEANT = {
    "gpu": ("cuda", "auto"),
    "cuda": ("auto",),
    "half": ("float16",),
    "fp16": ("float16",),
    "bf16": ("bfloat16",),
    "fp32": ("float32",),
    "single": ("float32",),
    "h5": ("hdf5",),
    "nii": ("nifti",),
    "nii.gz": ("nifti",),
}
"""Words of other programs -> names for the same thing here, which need not look alike."""


def strange(text: str) -> str:
    """Return a sentence about the first character that is not ASCII; it may look as if it were."""
    found = next((one for one in text if not one.isascii()), "")
    return f" It has the character U+{ord(found):04X} ({called(found, '?')})" if found else ""


def shown(text: str) -> str:
    """Return a text in quotes, in which no character is hidden or looks like another."""
    return f"{text!r}{strange(text).replace(' It has', ' with')}"


def did_you_mean(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return `` Did you mean 'x'?`` for the closest known name, else the empty string.

    Closest is what means the same (`MEANT`), then what is spelt alike.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = [meant for meant in MEANT.get(name.lower(), ()) if meant in by_lower]
    close += get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return f" Did you mean '{by_lower[close[0]]}'?" if close else ""


def unknown_name(where: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return one sentence for every name at a key of the configuration that is not known."""
    choices = list(known)
    return [
        f"{where}: unknown name {shown(name)}; there are {', '.join(choices)}."
        f"{did_you_mean(name, choices)}"
        for name in names
        if name not in choices
    ]


def one_of(kind: str, known: Iterable[str]) -> AfterValidator:
    """Make a validator that refuses names which are not known; `kind` says of what."""
    choices = list(known)

    def require(name: str) -> str:
        if name not in choices:
            near = did_you_mean(name, choices)
            raise ValueError(f"unknown {kind} {shown(name)}; there are {', '.join(choices)}.{near}")
        return name

    return AfterValidator(require)
