"""Builds small registries of fake sources, and the settings to migrate them with the fakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from pipeline.isolation.policy import Isolation
from pipeline.monitoring.notifier import TextNotifier
from pipeline.run.migrate import run_registry
from pipeline.run.request import RunRequest
from pipeline.settings import MigrateSettings
from tests.pipeline.fakes import FAKE_CHILDREN


def write_registry(folder: Path, models: Sequence[str], source: str = "lstm {model}") -> Path:
    """A manifest with one fake source for each model. Two of three models share an architecture."""
    rows = []
    for index, model in enumerate(models):
        path = folder / f"{index}.h5"
        path.write_text(source.format(model=model))
        rows.append(f"{model},{path.name}")
    manifest = folder / "manifest.csv"
    manifest.write_text("model,source\n" + "\n".join(rows) + "\n")
    return manifest


def fake_run(manifest: Path, output: Path, *beam: str, timeout: float = 60, **settings: object) -> RunRequest:
    """A run that uses the fakes and prints nothing, with one worker unless `beam` says more; its report goes beside
    the output.
    """
    beam = beam or ("--direct_num_workers=1",)
    isolation = Isolation(timeout=timeout)
    chosen = MigrateSettings(str(output), "test-run", isolation=isolation, children=FAKE_CHILDREN)
    report = output.with_name(f"{output.name}-report")
    return RunRequest(str(manifest), replace(chosen, **settings), str(report), beam, TextNotifier(quiet=True))  # type: ignore[arg-type]


def run_and_read(run: RunRequest) -> tuple[int, pd.DataFrame]:
    """Exit status and report, by model."""
    status = run_registry(run).exit_status
    return status, pd.read_parquet(Path(run.report, "report.parquet")).set_index("model")


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below a folder but reports: path -> (time of change, content), to tell rewritten from untouched."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "_h5ferry" not in path.parts
    }
