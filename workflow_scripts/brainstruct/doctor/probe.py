"""Imports packages in a process of its own; says what failed, and which GPUs PyTorch can use.

``python probe.py MODULE..`` prints one JSON object. It stands alone, because it
must run where half of the packages are broken.
"""

import contextlib
import importlib
import io
import json
import sys


def probe(modules: list[str]) -> dict[str, object]:
    """Import modules; return errors by module, and the GPUs if torch is among them."""
    errors: dict[str, str] = {}
    for name in modules:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                importlib.import_module(name)
        except Exception as error:  # whatever a broken package raises is what is asked for
            errors[name] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    gpus = []
    codes: list[str] = []
    if "torch" in modules and "torch" not in errors:
        torch = sys.modules["torch"]
        for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
            found = torch.cuda.get_device_properties(index)
            gpu = {"name": found.name, "memory": int(found.total_memory)}
            gpus.append(gpu | {"capability": [int(found.major), int(found.minor)]})
        # Without a GPU the public function says nothing, and a build without CUDA has no other.
        flags = getattr(torch._C, "_cuda_getArchFlags", lambda: None)() or ""
        codes = torch.cuda.get_arch_list() or flags.split()
    return {"errors": errors, "gpus": gpus, "codes": codes}


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1:])))
