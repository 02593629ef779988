"""Reads the model registry in MLflow's SQLite database, of any release from 1.0 on, without opening it for writing.

MLflow itself migrates a database that an older release wrote as soon as it opens it; here a copy in memory is read.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from pipeline.registries.mlflow.versions import DELETED, MlflowError, RegisteredVersion, in_order

#: Bytes 18 and 19 of a database's header are 2 where a write-ahead log lies beside it.
_WAL_HEADER, _WAL = slice(18, 20), b"\x02\x02"
_LOGGED_MODEL = "models:/m-"


def read_database(path: Path) -> list[RegisteredVersion]:
    """The versions of all registered models, by name and version.

    Raises:
        MlflowError: it is no database of MLflow, or holds models of several workspaces with one name.
    """
    try:
        with contextlib.closing(_copy(path)) as database:
            return in_order(_versions(database))
    except (sqlite3.Error, OSError) as error:
        raise MlflowError(f"{path} cannot be read as a database of MLflow: {error}") from error


def _copy(path: Path) -> sqlite3.Connection:
    """The database, in memory. Beside one with a write-ahead log, SQLite would write even while reading."""
    memory = sqlite3.connect(":memory:")
    with path.open("rb") as stream:
        write_ahead = stream.read(20)[_WAL_HEADER] == _WAL
    with tempfile.TemporaryDirectory(prefix="h5ferry-mlflow-") as folder:
        uri = f"file:{quote(str(path))}?mode=ro"
        if write_ahead:
            copy = Path(folder, path.name)
            for ending in ("", "-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(f"{path}{ending}", f"{copy}{ending}")
            uri = f"file:{quote(str(copy))}"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
            database.backup(memory)
    memory.row_factory = sqlite3.Row
    return memory


def _versions(database: sqlite3.Connection) -> Iterator[RegisteredVersion]:
    tags: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for row in _rows(database, "model_version_tags"):
        tags[row["name"], int(row["version"])][row["key"]] = row["value"] or ""
    aliases: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in _rows(database, "registered_model_aliases"):
        aliases[row["name"], int(row["version"])].append(row["alias"])
    logged = {row["model_id"]: row["artifact_location"] for row in _rows(database, "logged_models")}
    seen: set[tuple[str, int]] = set()
    for row in _rows(database, "model_versions", required=True):
        key = row["name"], int(row["version"])
        fields = dict(row)
        if fields.get("current_stage") == DELETED:
            continue
        if key in seen:
            raise MlflowError(f"{key[0]!a} is a model of several workspaces: give the URL of the MLflow server.")
        seen.add(key)
        source = fields.get("storage_location") or fields["source"] or ""
        if source.startswith(_LOGGED_MODEL):
            source = logged.get(source.removeprefix("models:/"), source)
        stage = fields.get("current_stage") or ""
        yield RegisteredVersion(
            *key,
            source=source,
            stage="" if stage == "None" else stage,
            aliases=tuple(sorted(aliases[key])),
            tags=tags[key],
            run_id=fields.get("run_id") or "",
        )


def _rows(database: sqlite3.Connection, table: str, *, required: bool = False) -> list[sqlite3.Row]:
    """All rows of a table; none where an older release had no such table, unless it is required."""
    present = database.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", (table,)).fetchone()
    if present is None and not required:
        return []
    return database.execute(f'SELECT * FROM "{table}"').fetchall()
