"""What a registry of MLflow says of the versions of its models, and where it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.registries.published import RegistryError

SCHEME = "mlflow:"
#: MLflow's stage of a deleted version.
DELETED = "Deleted_Internal"
_SQLITE = re.compile(r"sqlite:///(?P<path>[^?]+)")
_OTHER_DATABASES = ("postgresql", "mysql", "mssql")


class MlflowError(RegistryError):
    """A registry of MLflow cannot be read or written; the message says why and what to do."""


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a registered model.

    Attributes:
        name, version: as MLflow has them.
        source: URI of the folder with its artifacts.
        stage: "" for none.
        aliases: of this version, sorted.
        tags: of this version.
        run_id: of the run that logged it, "" for none.
    """

    name: str
    version: int
    source: str
    stage: str = ""
    aliases: tuple[str, ...] = ()
    tags: dict[str, str] = field(default_factory=dict)
    run_id: str = ""


@dataclass(frozen=True)
class Location:
    """The place of a registry.

    Attributes:
        uri: what MLflow calls its tracking URI.
        database, folder: of one that is read directly; at most one is there. Else a server has it.
    """

    uri: str
    database: Path | None = None
    folder: Path | None = None

    @property
    def base(self) -> Path:
        """The folder that relative artifact URIs are relative to."""
        return self.database.parent if self.database else self.folder.parent if self.folder else Path.cwd()


def parse_location(text: str) -> Location:
    """The place that `mlflow:URI` names: an http(s) server, `sqlite:///…`, or a folder as MLflow writes it.

    Raises:
        MlflowError: it is none of these.
    """
    uri = text.removeprefix(SCHEME)
    if uri.startswith(("http://", "https://")):
        return Location(uri)
    if match := _SQLITE.fullmatch(uri):
        path = Path(match["path"])
        if not path.is_file():
            raise MlflowError(f"{text}: there is no database {path}.")
        return Location(uri, database=path.absolute())
    if uri.startswith(_OTHER_DATABASES):
        raise MlflowError(f"{text}: give the URL of the MLflow server in front of this database.")
    folder = Path(unquote(urlsplit(uri).path) if uri.startswith("file:") else uri)
    if "://" in uri.removeprefix("file://") or not folder.is_dir():
        raise MlflowError(f"{text}: neither http(s)://, sqlite:///FILE nor a folder.")
    return Location(uri, folder=folder.absolute())


def in_order(versions: Iterable[RegisteredVersion]) -> list[RegisteredVersion]:
    """Sorted by name and version."""
    return sorted(versions, key=lambda each: (each.name, each.version))
