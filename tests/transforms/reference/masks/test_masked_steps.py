"""What stands in the output at a masked step, by runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call
from transforms.legacy.release import Release, UndecidedRelease, Writer
from transforms.reference.layer_call import LayerCall, NotCovered
from transforms.reference.masks.masked_steps import MaskedOutput, masked_output, masked_output_in_bidirectional

PREVIOUS, STATE, ZERO = MaskedOutput.PREVIOUS, MaskedOutput.STATE, MaskedOutput.ZERO


def _standalone(*version: int, backend: str = "tensorflow") -> Writer:
    return Writer(version, frozenset(), backend)


def _tf(*releases: Release) -> Writer:
    return Writer(None, frozenset(releases), "tensorflow")


def _call(class_name: str = "LSTM", *, masked: bool = True, **config: Any) -> LayerCall:
    mask = np.ones((1, 2), dtype=bool) if masked else None
    return layer_call(class_name, np.zeros((1, 2, 3)), config, masks=[mask])


@pytest.mark.parametrize(
    ("writer", "config", "expected"),
    [
        (_standalone(2, 0, 9), {}, STATE),
        (_standalone(2, 2, 4), {}, STATE),
        (_standalone(2, 2, 4), {"unroll": True}, PREVIOUS),
        (_standalone(2, 2, 4, backend="theano"), {}, PREVIOUS),
        (_standalone(2, 2, 5), {}, PREVIOUS),
        (_standalone(2, 3, 1), {}, PREVIOUS),
        (_tf((1, 13), (2, 15)), {}, PREVIOUS),
        (_tf((1, 13)), {"zero_output_for_mask": True}, ZERO),
        (_tf((2, 15)), {"zero_output_for_mask": True}, ZERO),
        # TensorFlow 2.0 and 2.1 do not pass the option on to what could run on cuDNN.
        (_tf((2, 1)), {"zero_output_for_mask": True}, PREVIOUS),
        (_tf((2, 1)), {"zero_output_for_mask": True, "activation": "relu"}, ZERO),
        (_tf((2, 1)), {"zero_output_for_mask": True, "unroll": True}, ZERO),
    ],
)
def test_a_layer_of_its_own(writer: Writer, config: dict[str, Any], expected: MaskedOutput) -> None:
    assert masked_output(_call(**config), writer) is expected


@pytest.mark.parametrize(
    ("writer", "config", "expected"),
    [
        (_standalone(2, 2, 4), {"return_sequences": True}, STATE),
        (_standalone(2, 3, 1), {"return_sequences": True}, PREVIOUS),
        (_tf((1, 13)), {"return_sequences": True}, ZERO),
        (_tf((1, 13)), {}, ZERO),
        (_tf((1, 14)), {"return_sequences": True}, ZERO),
        (_tf((1, 15), (2, 3)), {}, PREVIOUS),
        (_tf((1, 13), (2, 3)), {"return_sequences": True}, ZERO),
        # From 1.14 on what the wrapped layer says is overruled.
        (_tf((2, 8)), {"zero_output_for_mask": True}, PREVIOUS),
        (_tf((2, 0)), {"return_sequences": True}, PREVIOUS),
        (_tf((2, 2)), {"return_sequences": True}, ZERO),
    ],
)
def test_inside_bidirectional(writer: Writer, config: dict[str, Any], expected: MaskedOutput) -> None:
    assert masked_output_in_bidirectional(_call(**config), writer) is expected


def test_where_nothing_is_masked_no_question_arises() -> None:
    either = _tf((1, 12), (1, 13), (2, 1))
    assert masked_output_in_bidirectional(_call(masked=False), either) is PREVIOUS
    assert masked_output(_call(masked=False, zero_output_for_mask=True), either) is PREVIOUS


def test_what_is_not_known() -> None:
    with pytest.raises(UndecidedRelease):
        masked_output_in_bidirectional(_call(), _tf((1, 13), (1, 14)))
    with pytest.raises(NotCovered, match=r"before 1\.13"):
        masked_output_in_bidirectional(_call(), _tf((1, 12)))
