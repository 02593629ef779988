import io

import pytest
from rich.console import Console

from pipeline.coordination.run_folder import ProgressMark
from pipeline.monitoring.live_view import LiveView
from pipeline.monitoring.summary import progress_view


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def view(clock):
    return LiveView(Console(file=io.StringIO()), 3, clock=clock)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def shown(view):
    stream = io.StringIO()
    Console(file=stream, width=120, no_color=True).print(view)
    return stream.getvalue()


def test_counts_workers_and_what_they_are_on(view, clock):
    for mark in (
        ProgressMark("inspect", 1, "a/1", worker="10-1"),
        ProgressMark("ready", 1, "a/1", worker="10-1"),
        ProgressMark("inspect", 2, "b/1", worker="10-1"),
        ProgressMark("end", 2, "b/1", "refused", "not_hdf5", 0.1, worker="10-1"),
        ProgressMark("inspect", 3, "evil\x1b[31m/1", worker="10-1"),
        ProgressMark("convert", 1, "a/1", worker="20-1"),
    ):
        view.notice(mark)
    clock.now += 7
    text = shown(view)
    assert "inspect" in text and "2/3" in text and "0/1" in text
    assert "1 refused" in text and "migrated" not in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "worker 1 inspect evil\\x1b[31m/1 7 s" in lines
    assert "worker 2 convert a/1 7 s" in lines
    view.notice(ProgressMark("end", 1, "a/1", "migrated", worker="20-1"))
    text = shown(view)
    assert "1 migrated" in text and "worker 1" in text and "worker 2" not in text and "1/1" in text


def test_rate_and_time_left(view, clock):
    for line in (1, 2):
        view.notice(ProgressMark("inspect", line, "m/1", worker="1-1"))
        clock.now += 4
        view.notice(ProgressMark("end", line, "m/1", "refused", worker="1-1"))
    assert "4.0 s each" in shown(view) and "0:00:04" in shown(view)


def test_leaves_no_trace_on_the_screen():
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=80, legacy_windows=False, _environ={"TERM": "xterm"})
    with progress_view(console, 1, quiet=False) as notice:
        notice(ProgressMark("inspect", 1, "a/1", worker="1-1"))
    assert "worker 1" in stream.getvalue() and stream.getvalue().rstrip().endswith("\x1b[2K")
