"""The Beam graph: ReadManifest | MigrateModels | WriteReport; MigrateModels is Check | Inspect | Convert.

```
rows ──> Check ── rows ──> Inspect ── candidates ──> Convert ── report rows ──┐
                              └── rows that end here ─────────────────────────┴──> report rows
```
Each manifest row gives exactly one report row, whatever fails. The work itself is in the modules of `pipeline.steps`.
"""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, Unpack

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.pvalue import TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.coordination.run_folder import ProgressMark
from pipeline.manifest.reader import ManifestError, read_manifest, refuse_duplicates
from pipeline.manifest.row import ManifestRow, checked_row
from pipeline.report.row import ReportRow
from pipeline.report.table import as_parquet
from pipeline.settings import MigrateOptions, MigrateSettings, migrate_settings
from pipeline.steps.convert import convert_model
from pipeline.steps.converter_pool import join_pool, leave_pool
from pipeline.steps.inspect import Candidate, inspect_row
from pipeline.steps.one_row import result_of
from pipeline.storage.durable_file import write_file

#: Models of one architecture, and bytes of their sources, in one batch for a worker: enough to repay the shared
#: tracing, few enough that other workers get some.
MODELS_PER_BATCH = 32
BYTES_PER_BATCH = 4 << 30
ENDED = "ended"
_NAMESPACE = "h5ferry"


@dataclass
class MigrateRegistry(beam.PTransform):
    """Migrates a registry, from its manifest to report shards at `report_prefix`.

    `lines` are the manifest's lines to migrate, None for all.
    """

    manifest: str
    manifest_sha256: str
    settings: MigrateSettings
    report_prefix: str
    lines: frozenset[int] | None = None

    def expand(self, pbegin: Any) -> Any:
        rows = pbegin | ReadManifest(self.manifest, self.manifest_sha256, self.settings.folds_case, self.lines)
        return rows | MigrateModels(self.settings) | WriteReport(self.report_prefix)


class MigrateModels(beam.PTransform):
    """Manifest rows -> report rows, one for each, in any pipeline.

    A row is a `ManifestRow`, or a mapping with the manifest's columns. Models are converted in confined processes on
    the workers and published with a receipt; a row whose receipt is valid is `unchanged`.

    Args:
        output: folder or URL for <model>/<version>/, the same on all workers; or complete settings.
        options: see `MigrateOptions`.
    """

    def __init__(self, output: str | MigrateSettings, **options: Unpack[MigrateOptions]) -> None:
        super().__init__()
        self._settings = output if isinstance(output, MigrateSettings) else migrate_settings(output, **options)
        self._base = os.getcwd()

    def expand(self, rows: Any) -> Any:
        inspected = rows | Check(self._base, self._settings.folds_case) | Inspect(self._settings)
        converted = inspected.candidates | Convert(self._settings)
        return (inspected[ENDED], converted) | beam.Flatten() | "Count" >> beam.Map(count_status)


@dataclass
class ReadManifest(beam.PTransform):
    """Manifest path -> its rows. The digest is that of the manifest that the launching process checked."""

    path: str
    sha256: str
    folds_case: bool = False
    lines: frozenset[int] | None = None

    def expand(self, pbegin: Any) -> Any:
        return (
            pbegin
            | "Path" >> beam.Create([self.path], reshuffle=False)
            | "Rows"
            >> beam.FlatMap(read_same_manifest, sha256=self.sha256, folds_case=self.folds_case, lines=self.lines)
        )


@dataclass
class Check(beam.PTransform):
    """Rows of any origin -> checked rows: an unacceptable one carries its reason, as in a manifest.

    Rows are grouped by namespace, the first part of the model's name: two that would write to one place are refused.
    """

    base: str
    folds_case: bool = False

    def expand(self, rows: Any) -> Any:
        return (
            rows
            | "Row" >> beam.Map(checked_row, base=self.base).with_output_types(ManifestRow)
            | "KeyByNamespace" >> beam.WithKeys(namespace).with_output_types(tuple[str, ManifestRow])
            | "Group" >> beam.GroupByKey()
            | "Duplicates" >> beam.FlatMapTuple(meeting_rows, folds_case=self.folds_case)
            | "Spread" >> beam.Reshuffle()
        )


@dataclass
class Inspect(beam.PTransform):
    """Rows -> `candidates` for conversion, and under `ended` the report rows of all others."""

    settings: MigrateSettings

    def expand(self, rows: Any) -> Any:
        return rows | "InspectRow" >> beam.ParDo(InspectRow(self.settings)).with_outputs(ENDED, main="candidates")


@dataclass
class Convert(beam.PTransform):
    """Candidates -> report rows, grouped by architecture."""

    settings: MigrateSettings

    def expand(self, candidates: Any) -> Any:
        return (
            candidates
            | "KeyByArchitecture" >> beam.WithKeys(architecture_key).with_output_types(tuple[str, Candidate])
            | "Group" >> beam.GroupByKey()
            | "Batch" >> beam.FlatMapTuple(lambda _, group: bounded_batches(group))
            | "Spread" >> beam.Reshuffle()
            | "ConvertBatch" >> beam.ParDo(ConvertBatch(self.settings))
        )


@dataclass
class WriteReport(beam.PTransform):
    """Report rows -> Parquet shards, one for each bundle: they stay if the graph raises later."""

    prefix: str

    def expand(self, rows: Any) -> Any:
        return rows | "Write" >> beam.ParDo(WriteShard(self.prefix))


class WriteShard(beam.DoFn):
    """Writes the rows of a bundle to a file of a name of its own. A bundle that is tried again repeats its rows."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def start_bundle(self) -> None:
        self._rows: list[ReportRow] = []

    def process(self, row: ReportRow) -> None:
        self._rows.append(row)

    def finish_bundle(self) -> None:
        if self._rows:
            write_file(f"{self._prefix}-{uuid.uuid4().hex}.parquet", as_parquet(self._rows))


class _RowStep(beam.DoFn):
    """A step on one element at a time; an error affects only its row.

    If the settings allow more than one thread, elements are handed to threads of this process, and their results are
    output when the bundle ends. Beam's own threads are not used: on starved cores they corrupt elements.
    """

    def __init__(self, settings: MigrateSettings) -> None:
        self._settings = settings

    def setup(self) -> None:
        self._pool = join_pool(self._settings)

    def teardown(self) -> None:
        leave_pool(self._settings)

    def start_bundle(self) -> None:
        self._working: list[tuple[Future[list[Any]], Any, Any]] = []

    def process(
        self, element: Any, window: Any = beam.DoFn.WindowParam, timestamp: Any = beam.DoFn.TimestampParam
    ) -> Iterator[Any]:
        if self._settings.threads == 1:
            yield from self._results(element)
        else:
            future = self._pool.threads.submit(lambda: list(self._results(element)))
            self._working.append((future, window, timestamp))

    def finish_bundle(self) -> Iterator[Any]:
        for future, window, timestamp in self._working:
            for result in future.result():
                if isinstance(result, TaggedOutput):
                    yield TaggedOutput(result.tag, WindowedValue(result.value, timestamp, [window]))
                else:
                    yield WindowedValue(result, timestamp, [window])

    def _results(self, element: Any) -> Iterator[Any]:
        raise NotImplementedError

    def _row(self, row: ManifestRow, step: Callable[[], Candidate | ReportRow]) -> Candidate | ReportRow:
        result = result_of(row, self._settings, step)
        self._mark("ready" if isinstance(result, Candidate) else "end", row, result)
        return result

    def _mark(self, step: str, row: ManifestRow, result: Candidate | ReportRow | None = None) -> None:
        ended = (result.status, result.reason, result.seconds) if isinstance(result, ReportRow) else ()
        self._settings.folder.mark(ProgressMark(step, row.line, row.name, *ended))


class InspectRow(_RowStep):
    """Row -> candidate or report row; the source is read in a child process."""

    def _results(self, row: ManifestRow) -> Iterator[Any]:
        self._mark("inspect", row)
        with self._pool.reader() as child:
            result = self._row(row, partial(inspect_row, row, self._settings, child))
        if isinstance(result, Candidate):
            self._pool.expect(result.fingerprint, result.source_bytes)
            yield result
        else:
            yield TaggedOutput(ENDED, result)


class ConvertBatch(_RowStep):
    """Candidates of one architecture -> report rows."""

    def _results(self, candidates: Iterable[Candidate]) -> Iterator[Any]:
        with self._pool.borrowed() as pair:
            for candidate in candidates:
                self._mark("convert", candidate.row)
                yield self._row(candidate.row, partial(convert_model, candidate, self._settings, pair))


def read_same_manifest(
    path: str, sha256: str, folds_case: bool = False, lines: frozenset[int] | None = None
) -> tuple[ManifestRow, ...]:
    """The rows of a manifest that must not have changed since it was checked, of all lines or of some.

    Raises:
        ManifestError: it has changed.
    """
    manifest = read_manifest(path, folds_case=folds_case)
    if manifest.sha256 != sha256:
        raise ManifestError(f"{path} changed while the run started.")
    return tuple(row for row in manifest.rows if lines is None or row.line in lines)


def namespace(row: ManifestRow) -> str:
    """The grouping key of rows that might write to one place."""
    return row.model.partition("/")[0].casefold()


def meeting_rows(_: str, rows: Iterable[ManifestRow], folds_case: bool = False) -> Iterator[ManifestRow]:
    """Rows of one namespace in the manifest's order; those that would write to one place are refused."""
    yield from refuse_duplicates(sorted(rows, key=in_manifest), folds_case=folds_case)


def in_manifest(row: ManifestRow) -> tuple[int, str]:
    """Sorts rows in the manifest's order."""
    return row.line, row.name


def architecture_key(candidate: Candidate) -> str:
    """The grouping key of models that are converted together; those without a fingerprint are distributed at random."""
    return candidate.fingerprint or str(random.randrange(1 << 16))


def bounded_batches(group: Iterable[Candidate]) -> Iterator[tuple[Candidate, ...]]:
    """Splits a group into batches of bounded count and bytes, in the order of the manifest."""
    batch: list[Candidate] = []
    size = 0
    for candidate in sorted(group, key=lambda candidate: candidate.row.line):
        if batch and (len(batch) == MODELS_PER_BATCH or size + candidate.source_bytes > BYTES_PER_BATCH):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(candidate)
        size += candidate.source_bytes
    if batch:
        yield tuple(batch)


def count_status(row: ReportRow) -> ReportRow:
    """Counts the row's status and reason in Beam's metrics, for monitoring of the job."""
    Metrics.counter(_NAMESPACE, row.status).inc()
    if row.reason:
        Metrics.counter(_NAMESPACE, row.reason).inc()
    return row
