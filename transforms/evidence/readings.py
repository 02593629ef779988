"""Outputs of the reference under each reading of a source: which assumptions they depend on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.lambda_functions.graph import taken_for_granted
from transforms.legacy.model import LegacyModel
from transforms.legacy.open_questions import RELEASE, OpenQuestion, read_as, release_assumption
from transforms.legacy.release import preferred_release, writer_of
from transforms.records.assumptions import Assumption, merged_assumptions
from transforms.reference import NotCovered, Refused, Undecided, forward_batches, same_outputs
from transforms.reference.custom_rules import CustomRules
from transforms.reference.forward import Answer

Batches: TypeAlias = Sequence[Sequence[npt.NDArray[Any]]]

#: Number of open questions of one kind whose alternatives are tried one by one; more are tried all at once.
_ONE_BY_ONE = 8


def answers_with_assumptions(
    model: LegacyModel, batches: Batches, custom: CustomRules | None = None
) -> list[tuple[Answer, tuple[Assumption, ...]]]:
    """What the original arrays answer to each batch, and what of that rests on an assumption.

    An open question counts where another answer to it gives other outputs; what the names in a stored function mean
    always counts. An answer under which no runtime would
    have built or run the model was not given; one that the reference does not cover may have been.

    Args:
        model: with its open questions, the assumed answers stated in it.
        batches: inputs in order, for each batch.
        custom: what custom code says of its own layers.
    """
    answered = [_decided(model, answer) for answer in _forward(model, batches, custom)]
    outputs = [answer for answer, _ in answered]
    granted = tuple(taken_for_granted(model.graph))
    rests_on: list[list[Assumption]] = [[*granted, *assumed] for _, assumed in answered]
    for questions in _asked_together(model):
        for others in _answered_otherwise(questions):
            read = read_as(model, [each.choice(each.alternatives[0]) for each in others])
            for index, answer in enumerate(_forward(read, batches, custom)):
                if _changes(outputs[index], _decided(read, answer)[0]):
                    rests_on[index] += others
    return [(answer, merged_assumptions(assumed)) for answer, assumed in zip(outputs, rests_on, strict=True)]


def answers_in_float32(model: LegacyModel, batches: Batches, custom: CustomRules | None = None) -> list[Answer]:
    """The same forward pass in float32: how far it is from the one in float64 is the model's own rounding."""
    return [_decided(model, answer)[0] for answer in _forward(model, batches, custom, np.float32)]


def _forward(
    model: LegacyModel, batches: Batches, custom: CustomRules | None, precision: npt.DTypeLike = np.float64
) -> list[Answer]:
    return forward_batches(model.graph, model.weights_of, batches, model.runtime, custom, precision)


def _decided(model: LegacyModel, answer: Answer) -> tuple[Answer, tuple[Assumption, ...]]:
    """The answer of the release that is taken to have written the file, and that it was taken."""
    if not isinstance(answer, Undecided):
        return answer, ()
    release = preferred_release(answer.answers)
    outputs = answer.answers[release]
    others = [other for other, found in sorted(answer.answers.items()) if not same_outputs(outputs, found)]
    writer = replace(writer_of(model.graph, model.runtime), releases=frozenset(answer.answers))
    what = answer.what.partition(" differs among ")[0]
    return outputs, (release_assumption(model, writer, what, "/".join(answer.layer), others),)


def _asked_together(model: LegacyModel) -> Iterator[list[OpenQuestion]]:
    """The open questions one by one, but those of a kind together where there are many. The release is none of them."""
    open_questions = [each for each in model.open_questions if each.assumption.question != RELEASE]
    for _, found in groupby(open_questions, lambda each: each.assumption.question):
        alike = list(found)
        yield from [alike] if len(alike) > _ONE_BY_ONE else [[each] for each in alike]


def _answered_otherwise(questions: Sequence[OpenQuestion]) -> Iterator[list[Assumption]]:
    """The assumptions, each with one of its alternatives alone, for every alternative there is."""
    most = max(len(each.assumption.alternatives) for each in questions)
    for index in range(most):
        yield [
            replace(each.assumption, alternatives=(each.assumption.alternatives[index],))
            for each in questions
            if index < len(each.assumption.alternatives)
        ]


def _changes(assumed: Answer, other: Answer) -> bool:
    if isinstance(assumed, Exception) or isinstance(other, (Refused, ValueError)):
        return False
    return isinstance(other, NotCovered) or not same_outputs(assumed, other)
