import io

import pytest
from rich.console import Console

from pipeline.audit.findings import AuditResult, Finding, Kind, OutputState
from pipeline.audit.view import output_lines, print_verification

SOUND = OutputState("a/1", replayed=True, max_abs_error=0.0)
ALTERED = OutputState("b\x1b/1", (Finding(Kind.ALTERED, "b\x1b/1/saved_model.pb", "differs from its receipt"),))
COUNT = ["1 of 2 outputs are as published; the samples of 1 were run.", "1 run record was checked."]
DIFFERS = ["FAIL  b\\x1b/1", "      saved_model.pb differs from its receipt"]


@pytest.mark.parametrize("verbose, lines", [(False, [*DIFFERS, *COUNT]), (True, ["ok    a/1", *DIFFERS, *COUNT])])
def test_what_differs_and_a_count(verbose: bool, lines: list[str]) -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=100)
    show = output_lines(console, verbose=verbose)
    for output in (SOUND, ALTERED):
        show(output)
    print_verification(console, AuditResult((SOUND, ALTERED), (), (), 1))
    assert stream.getvalue().splitlines() == lines
