"""What each kind of notifier says, and to whom."""

import logging
import subprocess
import sys

import pytest

from pipeline.coordination.run_folder import ProgressMark
from pipeline.monitoring.notifier import EventNotifier, LogNotifier, TextNotifier
from tests.pipeline.report.test_table import frame_of, report_row

END = ProgressMark("end", 1, "a\x1b/1", "refused", "timeout", 1.5, "7-8")


def tell(notifier):
    notifier.started("r1", "/m.csv", 1, "/out")
    notifier.note("odd")
    with notifier.following(1) as notice:
        notice(ProgressMark("inspect", 1, "a/1"))
        notice(END)
    notifier.warn("bad \x1b[31m")
    notifier.ended(frame_of(report_row(1, status="refused")), "/out/report", 3)


@pytest.mark.parametrize("quiet", [False, True])
def test_lines_for_a_person(capsys, quiet):
    tell(TextNotifier(quiet=quiet))
    printed = capsys.readouterr()
    assert "Warning: bad \\x1b[31m\n" in printed.err
    assert ("Warning: odd" in printed.err, "[1/1] refused (timeout)" in printed.err) == (not quiet, not quiet)
    assert (printed.out == "") == quiet and ("Report: /out/report" in printed.out) != quiet


@pytest.mark.parametrize("notifier", [EventNotifier, LogNotifier])
def test_records_for_a_program(caplog, capsys, notifier):
    with caplog.at_level(logging.INFO, "h5ferry"):
        tell(notifier())
    assert {record.name for record in caplog.records} == {"h5ferry"}
    assert [record.levelno for record in caplog.records if record.levelno > logging.INFO]
    assert len(caplog.records) == 5 and capsys.readouterr() == ("", "")


def test_a_library_leaves_logging_as_it_was():
    code = (
        "import logging, pipeline.monitoring.event_log, pipeline.monitoring.notifier as n\n"
        "log = logging.getLogger('h5ferry')\n"
        "n.LogNotifier(), n.EventNotifier()\n"
        "print(log.handlers, log.propagate, log.level, logging.getLogger().handlers)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]", "True", "0", "[]"]
