"""Which layers make, hand on, combine and drop masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import layer_call, random_array
from transforms.legacy.release import Release, UndecidedRelease, Writer
from transforms.reference.layer_call import Array, Mask, Refused
from transforms.reference.masks.propagation import output_mask

_STANDALONE = Writer((2, 2, 4), frozenset(), "tensorflow")
_MASK = np.array([[True, False, True], [True, True, False]])
_X = random_array(2, 3, 4)


def _tf(*releases: Release) -> Writer:
    return Writer(None, frozenset(releases), "tensorflow")


_TF = _tf((2, 15))


def _mask(
    class_name: str, inputs: Any = _X, masks: Any = (_MASK,), writer: Writer = _STANDALONE, **config: Any
) -> Mask:
    return output_mask(layer_call(class_name, inputs, config, masks=masks), writer)


@pytest.mark.parametrize("writer", [_STANDALONE, _tf((1, 13)), _TF])
@pytest.mark.parametrize(
    "class_name",
    "Activation BatchNormalization Dense Dropout SpatialDropout1D GaussianNoise AlphaDropout LeakyReLU PReLU ELU "
    "ThresholdedReLU Softmax ActivityRegularization".split(),
)
def test_handed_on_by_all(class_name: str, writer: Writer) -> None:
    assert _mask(class_name, writer=writer) is _MASK
    assert _mask(class_name, masks=(None,), writer=writer) is None


@pytest.mark.parametrize(
    "class_name", ["Flatten", "Reshape", "Permute", "Conv1D", "GlobalMaxPooling1D", "RepeatVector"]
)
def test_strangers_to_masks(class_name: str) -> None:
    assert _mask(class_name, masks=(None,)) is None
    for writer in (_STANDALONE, _tf((1, 13)), _tf((1, 14))):
        with pytest.raises(Refused):
            _mask(class_name, writer=writer)
    assert _mask(class_name, writer=_tf((1, 15))) is None
    assert _mask(class_name, writer=_tf((1, 14), (1, 15))) is None


def test_relu_learned_about_masks_late() -> None:
    assert _mask("ReLU") is _MASK
    assert _mask("ReLU", writer=_tf((2, 5))) is _MASK
    assert _mask("ReLU", writer=_tf((1, 15))) is None
    with pytest.raises(Refused):
        _mask("ReLU", writer=_tf((1, 13)))
    with pytest.raises(UndecidedRelease):
        _mask("ReLU", writer=_tf((2, 4), (2, 5)))


def test_makers_of_masks() -> None:
    ids = np.array([[1, 0, 2]])
    np.testing.assert_array_equal(_mask("Embedding", ids, (None,), mask_zero=True), [[True, False, True]])
    assert _mask("Embedding", ids, (ids > 0,), mask_zero=False) is None
    x = np.array([[[0.0, 0.5], [0.5, 0.5], [0.0, 0.0]]])
    np.testing.assert_array_equal(_mask("Masking", x, (None,), mask_value=0.5), [[True, False, True]])
    # The mask that comes in is forgotten.
    np.testing.assert_array_equal(_mask("Masking", x, (np.zeros((1, 3), dtype=bool),)), [[True, True, False]])


def test_masking_compares_in_float32() -> None:
    x = np.full((1, 1, 2), np.float32(0.1)).astype(np.float64)
    np.testing.assert_array_equal(_mask("Masking", x, (None,), mask_value=0.1), [[False]])
    np.testing.assert_array_equal(_mask("Masking", x, (None,), mask_value=0.1, dtype="float64"), [[True]])


@pytest.mark.parametrize("class_name", ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"])
def test_merges_take_what_both_count(class_name: str) -> None:
    other = np.array([[True, True, False], [False, True, True]])
    np.testing.assert_array_equal(_mask(class_name, [_X, _X], (_MASK, other)), _MASK & other)
    np.testing.assert_array_equal(_mask(class_name, [_X, _X], (None, other)), other)
    assert _mask(class_name, [_X, _X], (None, None)) is None
    with pytest.raises(Refused):
        _mask(class_name, [_X, _X], (_MASK, other[:, :2]))


@pytest.mark.parametrize(
    ("axis", "masks", "expected"),
    [
        (-1, (_MASK, None), _MASK),
        (2, (_MASK, ~_MASK), np.zeros((2, 3), dtype=bool)),
        (1, (_MASK, ~_MASK), np.concatenate([_MASK, ~_MASK], axis=1)),
        (1, (None, None), None),
    ],
)
def test_concatenate(axis: int, masks: tuple[Mask, Mask], expected: Array | None) -> None:
    found = _mask("Concatenate", [_X, _X], masks, axis=axis)
    assert found is None if expected is None else np.array_equal(found, expected)  # type: ignore[arg-type]


def test_concatenate_over_time_with_one_mask_fits_no_runtime() -> None:
    with pytest.raises(Refused):
        _mask("Concatenate", [_X, _X], (_MASK, None), axis=1)


def test_droppers() -> None:
    assert _mask("Dot", [_X, _X], (_MASK, _MASK), axes=2) is None
    assert _mask("GlobalAveragePooling1D") is None
    assert _mask("Attention", [_X, _X], (_MASK, None), writer=_TF) is _MASK
