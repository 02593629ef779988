"""`h5ferry scan mlflow:URI`: proposes a manifest for the HDF5 models in a registry of MLflow.

It never writes to the registry.
"""

from __future__ import annotations

import hashlib
import posixpath
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from pipeline.registries.mlflow.artifacts import Artifacts, open_artifacts
from pipeline.registries.mlflow.database import read_database
from pipeline.registries.mlflow.folder import read_folder
from pipeline.registries.mlflow.logged_model import MLMODEL, LoggedModel, read_example, read_mlmodel
from pipeline.registries.mlflow.names import manifest_name
from pipeline.registries.mlflow.server import read_server
from pipeline.registries.mlflow.versions import Location, MlflowError, RegisteredVersion, parse_location
from pipeline.scan.find import FoundFile, Oddities, is_hdf5, with_kinds
from pipeline.scan.propose import Proposal, ProposedRow
from transforms.records.file_kind import FileKind

SAMPLES = "samples.npz"
#: Of the digest in the name of a folder of downloads.
_DIGITS = 12
_HDF5 = (".h5", ".hdf5", ".hdf")
_PICKLED = "custom_objects.cloudpickle"
_NOTES = {
    FileKind.DAMAGED: "HDF5 cannot read this file: it will be refused",
    FileKind.OTHER: "HDF5, but not saved by Keras",
    FileKind.WEIGHTS: "weights alone: name their architecture",
    FileKind.KERAS_3_WEIGHTS: "weights alone: name their architecture",
}


@dataclass
class _Scan:
    """One pass over a registry.

    Attributes:
        skipped: versions without a row, and why.
    """

    location: Location
    downloads: Path
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def rows(self, versions: Iterable[RegisteredVersion]) -> Iterator[ProposedRow]:
        for version in versions:
            folder = self._folder(version)
            try:
                yield _row(version, open_artifacts(version.source, self.location, folder), folder)
            except (MlflowError, OSError) as error:
                self.skipped.append((f"{version.name}/{version.version}", str(error)))

    def _folder(self, version: RegisteredVersion) -> Path:
        """A folder of its own for each place of artifacts, so that no manifest ever means another registry's files."""
        place = f"{self.location.database or self.location.folder or self.location.uri}\0{version.source}"
        digest = hashlib.sha256(place.encode()).hexdigest()[:_DIGITS]
        return self.downloads / manifest_name(version.name) / f"{version.version}-{digest}"


def read_versions(location: Location) -> list[RegisteredVersion]:
    """All versions of all registered models.

    Raises:
        MlflowError: the registry cannot be read.
    """
    if location.database is not None:
        return read_database(location.database)
    return read_server(location.uri) if location.folder is None else read_folder(location.folder)


def propose_registry(text: str, downloads: Path) -> Proposal:
    """Proposes a row for each version with an HDF5 model of Keras inside.

    Args:
        text: `mlflow:URI`.
        downloads: folder for artifacts that are not files of this machine, and for samples made of input examples.

    Raises:
        MlflowError: the registry cannot be read.
    """
    scan = _Scan(parse_location(text), downloads)
    rows = list(scan.rows(read_versions(scan.location)))
    files = with_kinds([FoundFile(row.source, row.source.parent) for row in rows])
    told = tuple(_with_kind(row, file.kind) for row, file in zip(rows, files, strict=True))
    return Proposal(told, (), Oddities(versions=scan.skipped))


def _with_kind(row: ProposedRow, kind: FileKind | None) -> ProposedRow:
    note = _NOTES.get(kind) if kind is not None else None
    return replace(row, notes=(note, *row.notes)) if note else row


def _row(version: RegisteredVersion, artifacts: Artifacts, folder: Path) -> ProposedRow:
    """The row of one version. Raises MlflowError if there is no HDF5 model in it."""
    files = artifacts.files()
    if MLMODEL not in files:
        raise MlflowError(f"no file {MLMODEL}")
    logged = read_mlmodel(artifacts.fetch(MLMODEL))
    if not logged.flavor:
        raise MlflowError("neither of flavor keras nor tensorflow")
    source = artifacts.fetch(_hdf5_file(files, logged))
    if not is_hdf5(source):
        raise MlflowError(f"{source.name} is no HDF5")
    notes = list(_told(version))
    samples = _samples(files, logged, artifacts, folder, notes)
    custom = _custom_objects(files, logged, artifacts, notes)
    name = manifest_name(version.name)
    return ProposedRow(name, source, version.version, None, samples, tuple(notes), custom)


def _hdf5_file(files: Iterable[str], logged: LoggedModel) -> str:
    found = [path for path in files if path.lower().endswith(_HDF5)]
    usual = posixpath.join(logged.data, "model.h5")
    if usual in found:
        return usual
    if len(found) == 1:
        return found[0]
    if found:
        raise MlflowError(f"several HDF5 files: {', '.join(found)}")
    form = {"tf": "a SavedModel already", "keras": "Keras 3's .keras"}.get(logged.save_format, "no HDF5 file inside")
    raise MlflowError(form)


def _told(version: RegisteredVersion) -> Iterator[str]:
    if manifest_name(version.name) != version.name:
        yield f"registered as {version.name!r}"
    if version.stage:
        yield f"stage {version.stage}"
    if version.aliases:
        yield f"alias {', '.join(version.aliases)}"


def _samples(
    files: list[str], logged: LoggedModel, artifacts: Artifacts, folder: Path, notes: list[str]
) -> Path | None:
    """The only `.npz` that was logged with the model, else one made of the input example."""
    recorded = [path for path in files if path.endswith(".npz")]
    if len(recorded) == 1 and _holds_inputs(fetched := artifacts.fetch(recorded[0])):
        notes.append(f"samples: {recorded[0]}, logged with the model")
        return fetched
    if logged.example not in files:
        return None
    try:
        arrays = read_example(artifacts.fetch(logged.example), logged.dtypes)
    except MlflowError as error:
        notes.append(str(error))
        return None
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / SAMPLES, **arrays)  # type: ignore[arg-type]
    notes.append(f"samples: the inputs of {logged.example}")
    return folder / SAMPLES


def _holds_inputs(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "x0.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def _custom_objects(files: list[str], logged: LoggedModel, artifacts: Artifacts, notes: list[str]) -> Path | None:
    """The only Python file logged with the model, where it has custom objects. A pickle is never loaded."""
    if not any(posixpath.basename(path) == _PICKLED for path in files):
        return None
    code = [path for path in files if logged.code and path.startswith(f"{logged.code}/") and path.endswith(".py")]
    if len(code) == 1:
        notes.append(f"custom objects, of which {code[0]} may be the code: needs --allow-custom-code")
        return artifacts.fetch(code[0])
    among = f" (logged with it: {', '.join(code)})" if code else ""
    notes.append(f"custom objects in a pickle, which is not loaded: name a Python file in custom_objects{among}")
    return None
