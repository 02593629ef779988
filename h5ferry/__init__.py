"""h5ferry from Python: migrate, inspect, scan and verify, as the command line does.

```python
import h5ferry

outcome = h5ferry.migrate_model("tagger.h5", "models/tagger/1")     # one model
report = h5ferry.migrate_registry("manifest.csv", "models")         # a registry: a DataFrame with one row a model
rows | h5ferry.MigrateModels("models")                              # the same within any Beam pipeline
```
Sources are parsed, and TensorFlow is run, only in confined child processes. `import h5ferry` loads neither TensorFlow
nor Beam; `MigrateModels` loads Beam when it is first used, `migrate_registry` when it is called.

Keyword arguments have the names of the command-line options that messages mention: `--allow-custom-code` is
`allow_custom_code`.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack


def _require_own_pipeline() -> None:
    """Raises ImportError when `pipeline` is another package: any script may have a folder of that name beside it."""
    ours = Path(__file__).resolve().parents[1] / "pipeline/__init__.py"
    found = importlib.util.find_spec("pipeline")
    if found is None or found.origin is None or Path(found.origin).resolve() != ours:
        place = "nothing" if found is None else found.origin or ", ".join(found.submodule_search_locations or ())
        raise ImportError(
            f"h5ferry would import {place} in place of its own package 'pipeline'. Rename that folder, or take it off"
            " Python's path."
        )


_require_own_pipeline()

from h5ferry.outcome import Outcome  # noqa: E402
from pipeline import __version__  # noqa: E402
from pipeline.manifest.row import OUTPUTS_APART, ManifestRow, checked_row  # noqa: E402
from pipeline.report.row import ReportRow  # noqa: E402
from pipeline.settings import MigrateOptions, SettingsError, migrate_settings  # noqa: E402
from transforms.errors import MigrationError, Reason  # noqa: E402
from transforms.limits import DEFAULT_LIMITS, Limits  # noqa: E402
from transforms.records.inspection import Inspection  # noqa: E402
from transforms.records.outcome import DEFAULT_ATOL, DEFAULT_RTOL, Evidence, Status  # noqa: E402

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.audit.findings import AuditResult
    from pipeline.graph import MigrateModels
    from pipeline.scan.propose import ProposedRow

__all__ = [
    "Evidence",
    "Inspection",
    "Limits",
    "ManifestRow",
    "MigrateModels",
    "MigrateOptions",
    "MigrationError",
    "Outcome",
    "Reason",
    "ReportRow",
    "SettingsError",
    "Status",
    "__version__",
    "inspect_model",
    "migrate_model",
    "migrate_registry",
    "scan",
    "verify_output",
]

PathLike: TypeAlias = str | os.PathLike[str]


def migrate_model(
    source: PathLike,
    output: PathLike,
    *,
    model: str = "",
    architecture: PathLike = "",
    samples: PathLike = "",
    backend: str = "",
    custom_objects: PathLike = "",
    outputs: Sequence[str] = (),
    constants: Mapping[str, Mapping[str, Any]] | None = None,
    sha256: str = "",
    rtol: float = DEFAULT_RTOL,
    atol: float = DEFAULT_ATOL,
    **options: Unpack[MigrateOptions],
) -> Outcome:
    """Migrates one model, verifies it and publishes it with a receipt.

    Starts three processes, two of which import TensorFlow (several seconds); use `migrate_registry` for many models.

    Args:
        source: the HDF5 file, or the prefix of a checkpoint; a path or URL.
        output: folder or URL of the SavedModel. It ends in the model's name and version, as in "models/tagger/1".
        model: the model's name if it has several parts: "team/tagger" for "models/team/tagger/1".
        architecture: JSON, YAML or (with `allow_custom_code`) Python file, for a source with weights only.
        samples: .npz with inputs and, if known, expected outputs.
        backend: `theano`, `cntk` or `tensorflow`, if the source does not record it.
        custom_objects: Python file with custom layers and functions, executed only with `allow_custom_code`.
        outputs: names of layers to output in place of the model's own outputs.
        constants: values of global names that functions of Lambda layers use and the source lacks, by layer.
        sha256: expected digest of the source.
        rtol: see `atol`.
        atol: |a - b| <= atol + rtol |b|, element by element.
        options: see `MigrateOptions`.

    Returns:
        The outcome, also of a refused or failed model. Check `status`, or call `require_published()`.

    Raises:
        ValueError: `output` does not end in name and version, or an option has an invalid value (SettingsError).
    """
    from pipeline.run.one_model import migrate_row

    root, name, version = _place(os.fspath(output), model)
    entry = {
        "model": name,
        "version": version,
        "source": os.fspath(source),
        "architecture": os.fspath(architecture),
        "samples": os.fspath(samples),
        "custom_objects": os.fspath(custom_objects),
        "backend": backend,
        "outputs": OUTPUTS_APART.join(outputs),
        "constants": constants,
        "sha256": sha256,
        "rtol": rtol,
        "atol": atol,
    }
    row = migrate_row(checked_row(entry, os.getcwd()), migrate_settings(root, **options))
    return Outcome(
        status=Status(row.status),
        reason=Reason(row.reason) if row.reason else None,
        message=row.message,
        evidence=Evidence(row.outcome.evidence),
        max_abs_error=row.outcome.max_abs_error,
        max_rel_error=row.outcome.max_rel_error,
        rewrites=row.outcome.rewrites,
        warnings=row.outcome.warnings,
        output=row.output,
        row=row,
    )


def migrate_registry(
    manifest: PathLike | Iterable[ManifestRow | ProposedRow | Mapping[str, Any]],
    output: PathLike,
    *,
    report: PathLike = "",
    beam_options: Sequence[str] = (),
    wait: float = 0.0,
    lock: bool = True,
    **options: Unpack[MigrateOptions],
) -> pd.DataFrame:
    """Migrates every model of a manifest, as `h5ferry migrate` does, report and record of the run included.

    Args:
        manifest: path or URL of a manifest; or its rows, which are then written as a manifest beside the report.
        output: folder or URL for <model>/<version>/.
        report: folder or URL for the report; default: within the output.
        beam_options: Beam's options, as on the command line: ["--runner=DataflowRunner", …]. Default: use all cores.
        wait: seconds to wait for another run in the same output to end.
        lock: lock the output against other runs while this one lasts.
        options: see `MigrateOptions`.

    Returns:
        The report, one row for each row of the manifest, in its order. `attrs` has `report` (its folder), `run_id` and
        `exit_status`, that of the command line.

    Raises:
        ManifestError: the manifest is unusable as a whole.
        OutputInUseError: another run holds the output.
        SettingsError: an option has an invalid value.
        OSError: the output, or the folder of the report, cannot be written.
    """
    from pipeline.manifest.row import as_manifest
    from pipeline.run.migrate import run_registry
    from pipeline.run.request import RunRequest

    rows: str | bytes
    if isinstance(manifest, (str, os.PathLike)):
        rows = os.fspath(manifest)
    else:
        rows = as_manifest(map(_entry, manifest), os.getcwd())
    settings = migrate_settings(os.fspath(output), **options)
    request = RunRequest(rows, settings, os.fspath(report), tuple(beam_options), wait=wait, lock=lock)
    run = run_registry(request)
    run.pass_signal_on()
    run.frame.attrs |= {"report": run.report, "run_id": settings.run_id, "exit_status": run.exit_status}
    return run.frame


def inspect_model(
    source: PathLike,
    *,
    architecture: PathLike = "",
    backend: str = "",
    custom_objects: PathLike = "",
    allow_custom_code: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Inspection:
    """Describes a file: its writer, its layers, the rewrites it needs. Reads no array and imports no TensorFlow.

    Raises:
        MigrationError: the file would be refused; `reason`, `layer` and `advice` say why, where and what to do.
    """
    from pipeline.inspection.describe import inspect_file

    if custom_objects and not allow_custom_code:
        raise SettingsError("custom_objects is executed: it needs allow_custom_code=True.")
    return inspect_file(Path(source), _path(architecture), backend, limits, _path(custom_objects))


def verify_output(
    output: PathLike, *, run_samples: bool = True, public_keys: Sequence[PathLike] = (), moved_to: PathLike = ""
) -> AuditResult:
    """Hashes published models again, checks the run records, and runs the samples stored with each model.

    Args:
        output: an output folder, or a report (its folder, or report.parquet).
        run_samples: False skips the samples, which need TensorFlow.
        public_keys: PEM files; every run record must be signed with one of them.
        moved_to: the present folder of a report's output, if it was moved.

    Returns:
        The findings; `sound` is True if there are none.

    Raises:
        ReportError: there is nothing to verify, or the report cannot be read.
        SigningKeyError: a key cannot be used.
    """
    from pipeline.audit.verify import VerifyRequest, verify
    from pipeline.history.signing import load_public_key

    keys = tuple(load_public_key(Path(key)) for key in public_keys)
    return verify(VerifyRequest(Path(output), run_samples, keys, _path(moved_to)))


def scan(*paths: PathLike) -> tuple[ProposedRow, ...]:
    """Finds HDF5 models, and checkpoints beside their architecture, and proposes a manifest row for each.

    `migrate_registry` accepts these rows; their `notes` say what to check first.

    Args:
        paths: files, folders, and patterns such as "models/**/*.h5"; or one registry, "mlflow:URI", whose downloads go
            into the folder `mlflow` of the working directory.

    Raises:
        ScanError: a path does not exist, a pattern matches nothing, or a registry cannot be read.
    """
    from pipeline.registries.scan import DOWNLOADS, propose

    return propose([os.fspath(path) for path in paths], Path(DOWNLOADS).absolute()).rows


def __getattr__(name: str) -> Any:
    """Imports `MigrateModels`, and Beam with it, on first use."""
    if name == "MigrateModels":
        from pipeline.graph import MigrateModels

        return MigrateModels
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _place(output: str, model: str) -> tuple[str, str, int]:
    """The root of the output, the model's name and version. Raises ValueError."""
    folder, _, version = output.rstrip("/").rpartition("/")
    name = model or folder.rpartition("/")[2]
    if not version.isdecimal() or int(version) < 1 or not name or not f"/{folder}".endswith(f"/{name}"):
        wanted = f"{model or '<model>'}/<version>"
        raise ValueError(f"The output {output!r} does not end in {wanted}, such as models/tagger/1.")
    return folder.removesuffix(name) or ".", name, int(version)


def _entry(row: ManifestRow | ProposedRow | Mapping[str, Any]) -> ManifestRow | Mapping[str, Any]:
    return row if isinstance(row, (ManifestRow, Mapping)) else row.columns()


def _path(path: PathLike) -> Path | None:
    return Path(path) if path else None
