"""The graph with stand-ins for inspection and conversion, on starved cores: no row is lost."""

import contextlib
import random
import sys
import threading
import time
from dataclasses import replace

import pytest

from pipeline.manifest.reader import read_manifest
from pipeline.report.row import stopped_row
from pipeline.run.graph_run import run_graph
from pipeline.run.request import RunRequest
from pipeline.settings import MigrateSettings
from pipeline.steps.inspect import Candidate
from transforms.records.outcome import SourceFacts, Status

SHORT, LONG = 1_000, 100_000


def inspected(row, settings, child):
    """A candidate for nine rows of ten: many in batches of their own, the others in groups of one architecture."""
    pause(row.line)
    if row.line % 10 == 0:
        return stopped_row(row, settings.run_id, Status.REFUSED, "not_hdf5", "")
    shared = f"shared-{row.line % 7}" if row.line % 3 == 0 else f"own-{row.line}"
    return Candidate(row, None, shared, SourceFacts("", 0), ())


def converted(candidate, settings, pair):
    """A report row after a moment."""
    pause(candidate.row.line + 1)
    return stopped_row(candidate.row, settings.run_id, Status.REFUSED, "invalid_config", "")


def pause(line):
    """Gives other threads the core, now and then for longer."""
    time.sleep(random.Random(line).choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 0.002)))


@contextlib.contextmanager
def starved_cores():
    """Threads that take the cores from the run, and forced switches between all of them."""
    ended, interval = threading.Event(), sys.getswitchinterval()

    def spin():
        while not ended.is_set():
            sum(range(2_000))
            time.sleep(0.001)

    spinning = [threading.Thread(target=spin, daemon=True) for _ in range(4)]
    sys.setswitchinterval(1e-5)
    try:
        for thread in spinning:
            thread.start()
        yield
    finally:
        ended.set()
        sys.setswitchinterval(interval)
        for thread in spinning:
            thread.join()


class Said:
    """What a run says."""

    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)

    def following(self, rows):
        return contextlib.nullcontext(lambda mark: None)


def check_all_come_back(folder, monkeypatch, rows):
    monkeypatch.setattr("pipeline.graph.inspect_row", inspected)
    monkeypatch.setattr("pipeline.graph.convert_model", converted)
    monkeypatch.setattr("pipeline.steps.converter_pool.ProcessPair.started", lambda settings: None)
    monkeypatch.setattr("pipeline.steps.converter_pool.ConverterPool.close", lambda pool: pool._closed.set())
    monkeypatch.setattr("pipeline.steps.converter_pool.ConverterPool.drop", lambda pool: None)
    monkeypatch.setattr("pipeline.steps.one_row.require_reportable", lambda row: None)
    path = folder / "manifest.csv"
    path.write_text("model,source\n" + "".join(f"m-{number},{number}.h5\n" for number in range(rows)))
    said = Said()
    settings = replace(MigrateSettings(str(folder / "out"), "run"), attempt=str(folder))
    request = RunRequest(str(path), settings, beam_arguments=("--direct_num_workers=4",), notifier=said)
    with starved_cores():
        frame, status = run_graph(request, read_manifest(str(path)), str(folder / "report"))
    assert said.warnings == [] and status == 0
    assert list(frame["line"]) == list(range(2, rows + 2))
    assert set(frame["reason"]) == {"not_hdf5", "invalid_config"}


def test_no_row_is_lost(tmp_path, monkeypatch):
    check_all_come_back(tmp_path, monkeypatch, SHORT)


@pytest.mark.soak
def test_no_row_of_many_is_lost(tmp_path, monkeypatch):
    check_all_come_back(tmp_path, monkeypatch, LONG)
