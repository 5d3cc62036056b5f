"""From what the configuration calls a data set to its class.

``nsd`` is the one that comes along. One of your own is a file of Python and a
class in it: ``path/to/faces.py:Faces``, from the working directory.
"""

import sys
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from brainstruct.datasets.interface import DataSet
from brainstruct.datasets.nsd.dataset import Nsd
from brainstruct.errors import InputError


def open_dataset(settings: Mapping[str, Any]) -> DataSet:
    """Make a data set of its name, ``dataset``, and its settings.

    A `pydantic.ValidationError` if the settings do not suit it.
    """
    rest = {name: value for name, value in settings.items() if name not in ("dataset", "code")}
    return class_of(str(settings["dataset"])).model_validate(rest)


@cache
def class_of(name: str) -> type[DataSet]:
    """Return the class of a data set; an `InputError` if its file has none or cannot be run."""
    if name == Nsd.origin:
        return Nsd
    place, _, wanted = name.rpartition(":")
    path = Path(place)
    if path.suffix != ".py" or not wanted.isidentifier():
        raise InputError(
            "data.dataset",
            f"'{name}' is no data set",
            f"Write {Nsd.origin}, or FILE.py:CLASS for one of your own (docs/extending.md)",
        )
    if not path.is_file():
        raise InputError(path, "does not exist", "Set data.dataset to where your data set is")
    spec = spec_from_file_location(f"brainstruct_own_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # pydantic looks up annotations there
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever its author did is what there is to say
        fault = f"cannot be run ({type(error).__name__}: {error})"
        raise InputError(path, fault, "Mend it: python FILE.py shows where") from error
    found = getattr(module, wanted, None)
    if not (isinstance(found, type) and issubclass(found, DataSet)):
        raise InputError(
            path,
            f"has no class {wanted} that is a brainstruct.datasets.interface.DataSet",
            "Check the name after the colon of data.dataset",
        )
    found.origin, found.code = name, sha256(path.read_bytes()).hexdigest()[:12]
    return found
