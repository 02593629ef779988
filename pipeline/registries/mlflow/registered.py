"""What is registered, for `verify` and `diff`: whether it is still what was published, and what its receipts tell."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.audit.findings import Finding, Kind
from pipeline.audit.parsing import ConfinedParser
from pipeline.publication.layout import RECEIPT, RECEIPT_BYTES
from pipeline.publication.receipt import Receipt, list_files
from pipeline.registries.mlflow.artifacts import RemoteArtifacts
from pipeline.registries.mlflow.packaging import SAVED_MODEL
from pipeline.registries.mlflow.target import (
    MODEL_TAG,
    RECEIPT_TAG,
    VERSION_TAG,
    open_target,
    registered_receipts,
    target_names,
)
from pipeline.registries.mlflow.versions import Location, MlflowError, RegisteredVersion
from pipeline.registries.published import PublishedModel
from pipeline.storage.regular_file import read_regular
from transforms.errors import MigrationError


def registered_findings(published: Sequence[PublishedModel], text: str) -> Iterator[Finding]:
    """Where registered versions differ from what was published, byte for byte.

    Args:
        published: what must be registered.
        text: `mlflow:URI`.

    Raises:
        MlflowError: the registry cannot be read.
        RegistryError: two models would share a name.
    """
    names = target_names(each.model for each in published)
    client, location = open_target(text)
    for each in published:
        name = names[each.model]
        place = f"{name}/{each.version}"
        with _as_mlflow_error(text):
            number = (registered_receipts(client, name) or {}).get(each.receipt_sha256)
            if number is None:
                yield Finding(Kind.MISSING, place, f"is not registered in {text}: register the output")
                continue
            source = client.get_model_version_download_uri(name, str(number))
            difference = _difference(each, source, location)
        if difference:
            yield Finding(Kind.ALTERED, place, f"is version {number} of {name!r} in {text}, where {difference}")


def _difference(published: PublishedModel, source: str, location: Location) -> str:
    """How the artifacts differ from the published files; "" if they do not."""
    with tempfile.TemporaryDirectory(prefix="h5ferry-mlflow-") as folder:
        artifacts = RemoteArtifacts(source, location, Path(folder))
        for path in artifacts.files():
            if path.startswith(f"{SAVED_MODEL}/"):
                artifacts.fetch(path)
        saved = Path(folder, SAVED_MODEL)
        try:
            there = {file.path: file for file in list_files(saved)} if saved.is_dir() else {}
            receipt = read_regular(saved / RECEIPT, RECEIPT_BYTES, saved)
        except (MigrationError, OSError) as error:
            return f"its files cannot be read: {error}"
        expected = {file.path: file for file in published.receipt.files}
        wrong = [path for path in sorted(there.keys() | expected.keys()) if there.get(path) != expected.get(path)]
        if receipt != read_regular(published.folder / RECEIPT, RECEIPT_BYTES, published.folder):
            wrong.append(RECEIPT)
        return f"{', '.join(wrong[:5])} differ" if wrong else ""


def registry_report(versions: Sequence[RegisteredVersion], location: Location) -> bytes:
    """A report (Parquet) with a row for each model and version that was registered, from the receipts beside them.

    Raises:
        MlflowError: a receipt cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pipeline.report.row import report_schema

    newest = {
        (each.tags[MODEL_TAG], each.tags.get(VERSION_TAG, "")): each for each in versions if RECEIPT_TAG in each.tags
    }
    if not newest:
        raise MlflowError(f"{location.uri} has no version that h5ferry registered.")
    with contextlib.closing(ConfinedParser()) as parser:
        rows = [_row(_receipt(each, location, parser), each, location) for each in newest.values()]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=report_schema()), sink)
    return sink.getvalue()


def _receipt(version: RegisteredVersion, location: Location, parser: ConfinedParser) -> Receipt:
    with tempfile.TemporaryDirectory(prefix="h5ferry-mlflow-") as folder:
        artifacts = RemoteArtifacts(version.source, location, Path(folder))
        data = read_regular(artifacts.fetch(f"{SAVED_MODEL}/{RECEIPT}"), RECEIPT_BYTES)
    receipt = parser.receipt(data)
    if receipt is None:
        raise MlflowError(f"The receipt of {version.name}/{version.version} is damaged.")
    return receipt


def _row(receipt: Receipt, version: RegisteredVersion, location: Location) -> dict[str, Any]:
    from pipeline.report.row import ReportRow

    return ReportRow(
        model=receipt.model,
        version=receipt.version,
        source="",
        status="migrated",
        outcome=receipt.outcome,
        rtol=receipt.key.rtol,
        atol=receipt.key.atol,
        output=f"{location.uri} {version.name}/{version.version}",
        output_bytes=receipt.size,
        output_sha256=receipt.sha256,
        run_id=receipt.run_id,
        h5ferry_version=receipt.h5ferry_version,
        receipt_sha256=version.tags[RECEIPT_TAG],
    ).as_record()


@contextlib.contextmanager
def _as_mlflow_error(text: str) -> Iterator[None]:
    try:
        yield
    except MlflowError:
        raise
    except Exception as error:  # MLflow and its stores raise many kinds.
        raise MlflowError(f"{text} cannot be read: {error}") from error
