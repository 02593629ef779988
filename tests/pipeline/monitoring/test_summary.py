import io
import os
import threading
from dataclasses import replace

import pytest
from rich.console import Console

from pipeline.coordination.progress import MarkFollower
from pipeline.coordination.run_folder import NO_FOLDER, ProgressMark, RunFolder
from pipeline.monitoring.summary import ProgressLines, print_summary, progress_view
from pipeline.printable import printable
from tests.pipeline.report.test_table import frame_of, report_row

MARKS = [
    ProgressMark("inspect", 2, "good/1"),
    ProgressMark("ready", 2, "good/1"),
    ProgressMark("inspect", 3, "bad\x1b[31m/1"),
    ProgressMark("end", 3, "bad\x1b[31m/1", "refused", "not_hdf5", 0.5),
    ProgressMark("convert", 2, "good/1"),
    ProgressMark("end", 2, "good/1", "migrated", "", 1.25),
]


@pytest.mark.parametrize(
    "text, shown", [("a/b", "a/b"), ("\x1b[31m", "\\x1b[31m"), ("a\nb", "a\\nb"), ("\u202e", "\\u202e"), ("é", "é")]
)
def test_printable(text, shown):
    assert printable(text) == shown


def show(terminal, **chosen):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100)
    with progress_view(console, 2, **chosen) as notice:
        for mark in MARKS:
            notice(mark)
    return stream.getvalue()


def test_lines_for_logs():
    assert show(False).splitlines() == [
        "[1/2] refused (not_hdf5) bad\\x1b[31m/1 0.5 s",
        "[2/2] 1 migrated, 1 refused",
    ]


@pytest.mark.parametrize("terminal", [False, True])
def test_verbose_has_a_line_for_each_row(terminal):
    assert show(terminal, verbose=True).splitlines() == [
        "[1/2] refused (not_hdf5) bad\\x1b[31m/1 0.5 s",
        "[2/2] migrated good/1 1.2 s",
    ]


@pytest.mark.parametrize(
    "seconds, statuses, lines",
    [
        (1, 12 * ["migrated"], ["[5/20] 5 migrated", "[10/20] 10 migrated", "[12/20] 12 migrated"]),
        (60, 2 * ["unchanged"], ["[1/20] 1 unchanged", "[2/20] 2 unchanged"]),
        (
            5,
            ["mismatch", "failed"],
            ["[1/20] mismatch", "[1/20] 1 mismatch", "[2/20] failed", "[2/20] 1 mismatch, 1 failed"],
        ),
        (1, [], []),
    ],
)
def test_progress_every_few_seconds(seconds, statuses, lines):
    stream = io.StringIO()
    now = iter(range(0, 1000, seconds))
    last = [next(now)]
    progress = ProgressLines(Console(file=stream, width=100), 20, lambda: last[0])
    for line, status in enumerate(statuses):
        last[0] = next(now)
        progress.notice(ProgressMark("end", line, "m/1", status, "", 0.5))
    progress.finish()
    assert [line.removesuffix(" m/1 0.5 s") for line in stream.getvalue().splitlines()] == lines


def test_a_terminal_without_control_codes_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert show(True).splitlines()[0].startswith("[1/2] refused") and "\x1b" not in show(True)


def test_no_color(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    print_summary(Console(file=stream, force_terminal=True, width=100), frame_of(report_row(1, status="failed")), "/r")
    assert "failed" in stream.getvalue() and "\x1b[31m" not in stream.getvalue()


def test_quiet_says_nothing():
    assert show(True, quiet=True) == ""


def test_marks_arrive_through_the_folder(tmp_path):
    seen = []
    with MarkFollower(RunFolder(str(tmp_path)), seen.append, interval=0.01):
        for mark in MARKS:
            RunFolder(str(tmp_path)).mark(mark)
    assert [replace(mark, worker="") for mark in seen] == MARKS
    assert {mark.worker for mark in seen} == {f"{os.getpid()}-{threading.get_ident()}"}
    NO_FOLDER.mark(MARKS[0])
    RunFolder(str(tmp_path / "gone")).mark(MARKS[0])


@pytest.mark.parametrize("terminal", [False, True])
def test_summary_tells_counts_worst_error_and_advice(terminal):
    frame = frame_of(
        report_row(1, "a", evidence="golden", max_abs_error=1e-7, max_rel_error=1e-6),
        report_row(2, "b", evidence="reference", max_abs_error=3e-6, max_rel_error=2e-5),
        report_row(3, "c[bold]", status="refused", reason="unsafe_lambda", message="A Lambda [red]x. Rewrite it."),
    )
    stream = io.StringIO()
    print_summary(Console(file=stream, width=200, force_terminal=terminal, no_color=True), frame, "/r")
    text = stream.getvalue()
    assert terminal == ("┃" in text)
    for expected in (
        "migrated",
        "3e-06 absolute",
        "(b/1)",
        "c[bold]/1",
        "unsafe_lambda",
        "A Lambda [red]x. Rewrite it.",
        "/r",
    ):
        assert expected in text
