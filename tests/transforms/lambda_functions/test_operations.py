"""Each operation of the closed list, alone: the reference and the rebuilt operation agree, and a mistake in one shows.

Planted mistakes are the likely ones: another function of the list in its place, and an argument that is not passed on.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.lambda_functions.operation_cases import Case, cases_of, own_names
from transforms.lambda_functions.listed_functions import LISTED
from transforms.legacy.release import Writer
from transforms.records.expression import Step
from transforms.reference.lambda_functions.layer import called
from transforms.reference.layer_call import NotCovered

WRITER = Writer(standalone=None, releases=((2, 15),), backend="tensorflow")

#: Functions that mean the same.
SYNONYMS = [
    {"keras.ops.array", "keras.ops.cast"},
    {"keras.ops.abs", "keras.ops.absolute"},
    {"keras.ops.divide", "keras.ops.true_divide"},
    {"keras.ops.silu", "keras.ops.swish"},
    {"keras.ops.max", "keras.ops.amax"},
    {"keras.ops.min", "keras.ops.amin"},
    {"keras.activations.silu", "keras.activations.swish"},
    {"keras.backend.cast_to_floatx", "keras.backend.identity"},
    {"operator.truediv", "operator.div"},
]

#: Arguments that have their default values, or no effect here.
IDLE = {
    ("keras.ops.batch_normalization", "axis"),
    ("keras.ops.top_k", "sorted"),
    ("keras.ops.diagonal", "axis1"),
    ("keras.ops.diagonal", "axis2"),
    ("keras.ops.unstack", "num"),
    ("keras.ops.split", "axis"),
    ("keras.backend.batch_normalization", "axis"),
    ("reverse_sequence", "seq_axis"),
    ("reverse_sequence", "batch_axis"),
}


def answer(name: str, case: Case) -> list[np.ndarray[Any, Any]]:
    """What the reference gives."""
    with np.errstate(all="ignore"):
        found = called(Step(name, {}), case, WRITER, ())
    return [np.asarray(each) for each in (found if isinstance(found, (tuple, list)) else [found])]


def same(one: list[np.ndarray[Any, Any]], other: list[np.ndarray[Any, Any]], tolerance: float = 1e-4) -> bool:
    return len(one) == len(other) and all(
        a.shape == b.shape
        and a.dtype.kind == b.dtype.kind
        and np.allclose(a, b, rtol=tolerance, atol=1e-5, equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("name", own_names())
def test_another_function_in_its_place_shows(name: str) -> None:
    answers = [answer(name, case) for case in cases_of(name)]
    prefix = name.rpartition(".")[0]
    alike = [other for other in own_names() if other != name and other.rpartition(".")[0] == prefix]
    for other in alike:
        if LISTED[other].parameters != LISTED[name].parameters or {name, other} in SYNONYMS:
            continue
        assert not all(_gives(other, case, wanted) for case, wanted in zip(cases_of(name), answers, strict=True)), other


def _gives(name: str, case: Case, wanted: list[np.ndarray[Any, Any]]) -> bool:
    try:
        return same(answer(name, case), wanted)
    except (NotCovered, TypeError, ValueError):
        return False


@pytest.mark.parametrize("name", own_names())
def test_an_argument_that_is_not_passed_on_shows(name: str) -> None:
    first = LISTED[name].parameters[0].lstrip("*")
    for argument in {key for case in cases_of(name) for key in case if key != first and (name, key) not in IDLE}:
        given = [case for case in cases_of(name) if argument in case]
        without = [{key: value for key, value in case.items() if key != argument} for case in given]
        assert not all(_gives(name, less, answer(name, case)) for less, case in zip(without, given, strict=True)), (
            argument
        )


@pytest.mark.parametrize("name", own_names())
def test_the_rebuilt_operation_agrees(name: str) -> None:
    import tensorflow as tf

    from transforms.rebuild.expressions.era import Era
    from transforms.rebuild.expressions.evaluate import called as rebuilt

    def tensor(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            kinds = {"f": tf.float32, "i": tf.int32, "b": tf.bool, "c": tf.complex64}
            return tf.constant(value, kinds[value.dtype.kind])
        return [tensor(each) for each in value] if isinstance(value, list) else value

    for case in cases_of(name):
        given = {key: tensor(value) for key, value in case.items()}
        found = rebuilt(name, given, Era(release=(2, 15)))
        outputs = [np.asarray(each) for each in (found if isinstance(found, (tuple, list)) else [found])]
        wanted = answer(name, case)
        assert len(outputs) == len(wanted)
        for a, b in zip(outputs, wanted, strict=True):
            assert a.shape == b.shape, case
            assert a.dtype.kind.replace("u", "i") == b.dtype.kind, case
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)
