"""Writes a model with custom layers so that it runs without their code."""

from __future__ import annotations

from pathlib import Path

from transforms.custom.code import failure
from transforms.errors import MigrationError
from transforms.rebuild import RebuiltModel
from transforms.releases.table import Release
from transforms.saved_model.writer import write_saved_model


def write_custom_model(model: RebuiltModel, folder: Path, oldest: Release = ()) -> None:
    """Writes the SavedModel. Its signature is traced, so that no custom code is needed to run it.

    Raises:
        MigrationError: `custom_objects_needed` when the code cannot be traced or saved.
    """
    try:
        write_saved_model(model, folder, autograph=True, oldest=oldest)
    except (OSError, MemoryError, MigrationError):
        raise
    except Exception as error:
        raise failure("Saving the model with its custom code", error) from error
