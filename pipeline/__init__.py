"""Migration of a registry of legacy Keras models: manifest, Beam graph, isolation, publishing and report."""

from importlib.util import find_spec as _find_spec
from pathlib import Path as _Path

__version__ = "0.1.0"


def _require_own_transforms() -> None:
    """Raises ImportError when `transforms` is another package: any script may have a folder of that name beside it."""
    ours = _Path(__file__).resolve().parents[1] / "transforms/__init__.py"
    found = _find_spec("transforms")
    if found is None or found.origin is None or _Path(found.origin).resolve() != ours:
        place = "nothing" if found is None else found.origin or ", ".join(found.submodule_search_locations or ())
        raise ImportError(
            f"h5ferry would import {place} in place of its own package 'transforms'. Rename that folder, or take it off"
            " Python's path."
        )


_require_own_transforms()
