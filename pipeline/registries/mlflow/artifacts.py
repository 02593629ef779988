"""The artifacts of a logged model: files in a folder of this machine, or behind MLflow's client."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from pipeline.registries.mlflow.server import client_for
from pipeline.registries.mlflow.versions import Location, MlflowError
from pipeline.storage.paths import is_remote


class Artifacts(Protocol):
    """The files of one logged model, by their paths relative to its folder, "/" between parts."""

    def files(self) -> list[str]:
        """All files, sorted. Raises MlflowError if they cannot be listed."""

    def fetch(self, path: str) -> Path:
        """The place of a file on this machine, after a download if need be. Raises MlflowError."""


def open_artifacts(source: str, location: Location, downloads: Path) -> Artifacts:
    """The artifacts of a version.

    Args:
        source: URI of their folder, as the registry has it; a relative one is relative to the registry.
        location: of the registry.
        downloads: folder for what must be downloaded, each time anew: a store tells no digests.

    Raises:
        MlflowError: they are not on this machine, and nothing here can fetch them.
    """
    folder = _local_folder(source, location)
    if folder is None:
        return RemoteArtifacts(source, location, downloads)
    if folder.is_dir():
        return LocalArtifacts(folder)
    raise MlflowError(f"there is no folder {folder} on this machine")


def _local_folder(source: str, location: Location) -> Path | None:
    if source.startswith("file:"):
        parts = urlsplit(source)
        return Path(unquote(parts.path)) if parts.netloc in ("", "localhost") else None
    if is_remote(source) or ":" in source.partition("/")[0]:
        return None
    return location.base / source


@dataclass(frozen=True)
class LocalArtifacts:
    """Artifacts in a folder, which are read in place. Links are not followed."""

    folder: Path

    def files(self) -> list[str]:
        return sorted(
            Path(parent, name).relative_to(self.folder).as_posix()
            for parent, _, names in os.walk(self.folder)
            for name in names
            if not Path(parent, name).is_symlink()
        )

    def fetch(self, path: str) -> Path:
        return self.folder / path


@dataclass(frozen=True)
class RemoteArtifacts:
    """Artifacts that MLflow's client downloads: from the server (`mlflow-artifacts:`), or from a store such as S3."""

    source: str
    location: Location
    downloads: Path

    def files(self) -> list[str]:
        return sorted(_listed(self._repository(), None, self.source))

    def fetch(self, path: str) -> Path:
        place = self.downloads / path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._repository().download_artifacts(path, str(self.downloads))
        except Exception as error:  # Each store has errors of its own.
            raise MlflowError(f"{self.source}/{path} cannot be downloaded: {error}") from error
        return place

    def _repository(self) -> Any:
        if self.location.database or self.location.folder:
            proxied = self.source.startswith(("mlflow-artifacts:", "models:", "runs:"))
            if proxied:
                raise MlflowError(f"{self.source} is behind the MLflow server: scan its URL")
        client_for(self.location.uri)
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

        try:
            return get_artifact_repository(self.source, tracking_uri=self.location.uri)
        except Exception as error:  # A missing package of a store, or a scheme that is none.
            raise MlflowError(f"{self.source} cannot be reached: {error}") from error


def _listed(repository: Any, folder: str | None, source: str) -> Iterator[str]:
    try:
        entries = repository.list_artifacts(folder)
    except Exception as error:  # Each store has errors of its own.
        raise MlflowError(f"{source} cannot be listed: {error}") from error
    for entry in entries:
        if posixpath.normpath(entry.path) != entry.path or entry.path.startswith(("/", "../")) or "\\" in entry.path:
            raise MlflowError(f"{source} lists {entry.path!a}, which is no path below it")
        if entry.is_dir:
            yield from _listed(repository, entry.path, source)
        else:
            yield entry.path
