"""What counts of a row whose Python file was executed: the launching process says so, whatever the code answered.

The code runs in the process that answers what the outputs should be. So its word is no evidence but that the artefact
does what the code's process says; golden outputs are compared by a process that never ran it.
"""

from __future__ import annotations

from dataclasses import replace

from transforms.records.outcome import EVIDENCE_ORDER, Evidence, MigrationOutcome, MigrationRequest

WARNING = "Custom code took part: what the process that ran it says of the outputs counts for no more than 'rebuilt'."


def without_the_codes_word(outcome: MigrationOutcome, request: MigrationRequest, strays: int) -> MigrationOutcome:
    """An outcome with its evidence capped at `rebuilt`, unless it is `golden` and the row brought samples.

    Args:
        outcome: of a row whose code was executed.
        request: what was asked for.
        strays: processes that the code left behind.
    """
    golden = outcome.evidence is Evidence.GOLDEN and request.samples is not None
    weaker = EVIDENCE_ORDER.index(outcome.evidence) <= EVIDENCE_ORDER.index(Evidence.REBUILT)
    left = (f"{strays} processes that the custom code had left behind were ended.",) if strays else ()
    return replace(
        outcome,
        evidence=outcome.evidence if golden or weaker else Evidence.REBUILT,
        reference_max_abs_error=float("nan"),
        warnings=(*outcome.warnings, WARNING, *left),
    )
