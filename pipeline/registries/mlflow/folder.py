"""Reads the model registry in a folder that MLflow 2 or 3 wrote (`mlruns`), without writing to it.

```
mlruns/models/<name>/aliases/<alias>               holds a version
mlruns/models/<name>/version-<n>/meta.yaml
mlruns/models/<name>/version-<n>/tags/<key>        holds a value
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pipeline.registries.mlflow.versions import DELETED, MlflowError, RegisteredVersion, in_order
from pipeline.storage.regular_file import read_regular

_META = "meta.yaml"
_MOST_BYTES = 1 << 20
_VERSION = re.compile(r"version-([0-9]{1,9})")
#: What stands for no stage. Deleted versions leave no folder, or the stage `Deleted_Internal`.
_NO_STAGE = ("None", "", None)


def read_folder(folder: Path) -> list[RegisteredVersion]:
    """The versions of all registered models, by name and version.

    Raises:
        MlflowError: it holds no registered models, or a file cannot be read.
    """
    models = folder / "models"
    if not models.is_dir():
        raise MlflowError(f"{folder} holds no registered models: MLflow keeps them in {models}, or in a database.")
    try:
        return in_order(version for model in models.iterdir() if model.is_dir() for version in _versions(model))
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise MlflowError(f"{models} cannot be read: {error}") from error


def _versions(model: Path) -> Iterator[RegisteredVersion]:
    aliases = [(path.name, int(_text(path))) for path in _files(model / "aliases")]
    for place in model.iterdir():
        if not _VERSION.fullmatch(place.name) or not (place / _META).is_file():
            continue
        meta: dict[str, Any] = yaml.safe_load(read_regular(place / _META, _MOST_BYTES))
        version, stage = int(meta["version"]), meta.get("current_stage")
        if stage == DELETED:
            continue
        yield RegisteredVersion(
            name=_plain(meta["name"]),
            version=version,
            source=_plain(meta.get("storage_location") or meta["source"]),
            stage="" if stage in _NO_STAGE else _plain(stage),
            aliases=tuple(sorted(alias for alias, of in aliases if of == version)),
            tags={path.name: _text(path) for path in _files(place / "tags")},
            run_id=_plain(meta.get("run_id") or ""),
        )


def _plain(value: object) -> str:
    """A text or number as text. Raises TypeError for anything else."""
    if not isinstance(value, (str, int)):
        raise TypeError("a value is no text")
    return str(value)


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_file()] if folder.is_dir() else []


def _text(path: Path) -> str:
    return read_regular(path, _MOST_BYTES).decode().strip()
