import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipeline.monitoring.prometheus import RunFigures, last_success, write_metrics
from transforms.errors import Reason

START = datetime(2026, 1, 31, 14, 25, tzinfo=UTC)
RUN = RunFigures(
    run_id='r"1\n',
    exit_status=0,
    started=START,
    finished=START + timedelta(seconds=90),
    rows=5,
    statuses={"migrated": 3, "refused": 2},
    reasons={"unsafe_op": 2},
    evidence={"golden": 3},
    max_abs_error=1e-7,
    max_rel_error=math.inf,
)


def samples(path):
    families = list(text_string_to_metric_families(path.read_text()))
    assert all(family.type == "gauge" and family.documentation for family in families)
    return {
        (sample.name.removeprefix("h5ferry_"), *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_figures(tmp_path):
    path = tmp_path / "h5ferry.prom"
    write_metrics(path, RUN)
    found = samples(path)
    expected = {
        ("run_exit_status",): 0,
        ("run_duration_seconds",): 90,
        ("manifest_rows",): 5,
        ("rows", "migrated"): 3,
        ("rows", "failed"): 0,
        ("stopped_rows", "unsafe_op"): 2,
        ("evidence_rows", "golden"): 3,
        ("evidence_rows", "rebuilt"): 0,
        ("worst_error", "absolute"): 1e-7,
        ("worst_error", "relative"): math.inf,
        ("last_success_timestamp_seconds",): RUN.finished.timestamp(),
    }
    assert expected.items() <= found.items()
    assert [key for key in found if key[0] == "run_info"] == [("run_info", 'r"1\n', "0.1.0")]
    assert len([key for key in found if key[0] == "stopped_rows"]) == len(Reason)
    assert [entry.name for entry in tmp_path.iterdir()] == ["h5ferry.prom"]


def test_last_success_outlives_failures(tmp_path):
    path = tmp_path / "h5ferry.prom"
    bad = replace(RUN, exit_status=3, max_abs_error=math.nan, finished=RUN.finished + timedelta(days=1))
    write_metrics(path, bad)
    assert last_success(path) is None and ("worst_error", "absolute") not in samples(path)
    write_metrics(path, RUN)
    write_metrics(path, bad)
    write_metrics(path, bad)
    assert last_success(path) == RUN.finished.timestamp()
    assert samples(path)["run_finished_timestamp_seconds",] == bad.finished.timestamp()


@pytest.mark.parametrize("content", [b"", b"\xff", b"{no metrics", b"other 1\n"])
def test_what_an_earlier_file_may_hold(tmp_path, content):
    path = tmp_path / "h5ferry.prom"
    path.write_bytes(content)
    assert last_success(path) is None
    write_metrics(path, replace(RUN, exit_status=3))


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(OSError):
        write_metrics(tmp_path / "none/h5ferry.prom", RUN)
