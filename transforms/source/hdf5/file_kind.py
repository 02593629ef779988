"""Determines the kind of an HDF5 file from the names at its root; reads no attribute's value and no array."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from transforms.errors import MigrationError
from transforms.records.file_kind import FileKind
from transforms.source.hdf5.file import hdf5_errors, open_unhashed
from transforms.source.hdf5.objects import has_group


def kinds_of(paths: Sequence[Path]) -> list[str]:
    """The kind of each file. Called in a child process: HDF5 may crash on a damaged file."""
    return [kind_of(path).value for path in paths]


def kind_of(path: Path) -> FileKind:
    """The kind of one file; `damaged` if it cannot be opened or parsed."""
    try:
        with open_unhashed(path) as file, hdf5_errors():
            if "model_config" in file.attrs:
                return FileKind.MODEL
            weights = file["model_weights"] if has_group(file, "model_weights") else file
            if "layer_names" in weights.attrs or "layer_names0" in weights.attrs:
                return FileKind.WEIGHTS
            # Keras 3 uses these names for the groups of a `.weights.h5` file (saving_lib.py, `_save_state`).
            if has_group(file, "layers") or has_group(file, "_layer_checkpoint_dependencies"):
                return FileKind.KERAS_3_WEIGHTS
            return FileKind.OTHER
    except MigrationError:
        return FileKind.DAMAGED
