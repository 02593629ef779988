"""Refuses files whose root and group `model_weights` contradict each other."""

from __future__ import annotations

import h5py

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.hdf5.objects import list_attribute, text_attribute


def refuse_contradictions(file: h5py.File, weights: h5py.Group, backend: str, limits: Limits) -> None:
    """Refuses what the root of a file and its group `model_weights` state differently.

    `load_model` reads the names of layers and the backend from the group, `load_weights` from the root if that has any
    (keras/engine/saving.py, 2.3.1): the meaning of the file would depend on the reader. Every Keras 2 states version
    and backend in both places; Keras 1 its version at the root alone, and no backend.

    Args:
        file: the file.
        weights: its group `model_weights`.
        backend: stated by the operator, which decides.
        limits: the budget.

    Raises:
        MigrationError: `invalid_config`.
    """
    if list_attribute(file, "layer_names", limits) is not None:
        raise _contradiction("layer_names is both at the root of the file and in model_weights")
    for name in ("keras_version",) if backend else ("keras_version", "backend"):
        outer, inner = (text_attribute(item, name, limits) or "" for item in (file, weights))
        if outer and inner and outer != inner:
            raise _contradiction(f"{name} is {outer[:40]!r} at the root of the file, {inner[:40]!r} in model_weights")
        if name == "backend" and not inner and outer not in ("", "tensorflow"):
            raise _contradiction(f"backend is {outer[:40]!r} at the root of the file, and not stated in model_weights")


def _contradiction(what: str) -> MigrationError:
    return MigrationError(
        Reason.INVALID_CONFIG,
        f"{what}: readers disagree on which applies",
        advice="The file was altered: restore it from its origin, or state the backend in the manifest.",
    )
