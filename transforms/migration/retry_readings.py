"""Other readings of a source whose first reading failed, for questions that evidence can decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, groupby, islice, product
from math import prod

from transforms.errors import Reason
from transforms.records.assumptions import Assumption, Choice
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Status

#: Maximum number of readings; each needs a conversion.
_MOST_READINGS = 24
_MOST_COMBINATIONS = 4096


def other_readings(request: MigrationRequest, first: MigrationOutcome) -> Iterator[tuple[MigrationRequest, str]]:
    """Other readings, each with the sentence that justifies it if it gives the golden outputs.

    Golden outputs that contradict the assumptions may confirm another reading; weights whose shapes do not fit one may
    fit another. Readings with the fewest changes come first, and those that answer similar questions alike.

    Args:
        request: of the first attempt.
        first: its outcome.
    """
    if first.status is Status.MISMATCH and first.evidence is Evidence.GOLDEN:
        questions, decides = first.open_questions, "golden outputs decide"
    elif first.status is Status.REFUSED and first.reason is Reason.WEIGHTS_MISMATCH:
        questions, decides = (
            tuple(each for each in first.open_questions if each.alters_shapes),
            "weights' shapes decide",
        )
    else:
        return
    for choices in islice(_readings(questions), _MOST_READINGS):
        assumed = {(each.question, each.layer): each for each in questions}
        told = [_told(assumed[each.question, each.layer], each, decides) for each in choices]
        yield replace(request, choices=(*request.choices, *choices)), " ".join(told)


def _readings(questions: Sequence[Assumption]) -> Iterator[tuple[Choice, ...]]:
    """Every combination of answers but the assumed one; if there are many, questions of a kind are answered alike."""
    kinds = [list(alike) for _, alike in groupby(questions, lambda each: each.question)]
    if prod(1 + len(each.alternatives) for each in questions) <= _MOST_COMBINATIONS:
        kinds = [[each] for each in questions]
    answers = ([(), *_answered_alike(alike)] for alike in kinds)
    combinations = (tuple(chain.from_iterable(found)) for found in islice(product(*answers), _MOST_COMBINATIONS))
    yield from sorted(filter(None, combinations), key=lambda choices: _departure(questions, choices))


def _answered_alike(questions: Sequence[Assumption]) -> Iterator[tuple[Choice, ...]]:
    for answer in questions[0].alternatives:
        yield tuple(each.choice(answer) for each in questions if answer in each.alternatives)


def _departure(questions: Sequence[Assumption], choices: Sequence[Choice]) -> tuple[int, int]:
    """The distance of a reading from the assumed one: the number of changed kinds of questions, and of unchanged
    questions of these kinds.
    """
    kinds = {each.question for each in choices}
    of_these_kinds = sum(each.question in kinds for each in questions)
    return len(kinds), of_these_kinds - len(choices)


def _told(assumed: Assumption, choice: Choice, decides: str) -> str:
    where = f"{assumed.layer}: " if assumed.layer else ""
    answer = f"the {decides} for {assumed.question} {choice.answer}, against {assumed.assumed}"
    return f"{where}{assumed.because}; {answer}."
