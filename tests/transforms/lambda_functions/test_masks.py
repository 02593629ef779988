"""Masks of Lambda layers: which outputs have one, by runtime, as a pooling layer behind them shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.transforms.hostile_models import dumped
from tests.transforms.lambda_functions.stored import TENSORFLOW_2
from tests.transforms.reference.models import functional, node, parse, placeholder, weights
from transforms.architecture.graph import Graph
from transforms.errors import MigrationError
from transforms.lambda_functions.graph import with_translations
from transforms.lambda_functions.trace import Era
from transforms.records.expression import TRANSLATION
from transforms.records.runtime import runtime_of
from transforms.reference import forward

TENSORFLOW_1 = Era(runtime_of("2.2.4-tf", "tensorflow"), 1)

IDS = np.array([[1, 2, 0, 0], [3, 0, 4, 1]])
TABLE = np.array([[9.0, 9.0], [1.0, 2.0], [3.0, -1.0], [0.5, 4.0], [-2.0, 1.0]])
VALUES = TABLE[IDS]
COUNTED = (IDS != 0)[..., np.newaxis]


def pooled(function: Callable[..., Any], mask: Callable[..., Any] | None, era: Era) -> Graph:
    """Embedding with a mask, the Lambda, and the mean over the steps that count."""
    of_mask = {} if mask is None else {"mask": dumped(mask), "mask_type": "lambda"}
    layers = [
        placeholder("x", (None, 4)),
        node("Embedding", "e", ["x"], input_dim=5, output_dim=2, mask_zero=True),
        node("Lambda", "f", ["e"], function=dumped(function), function_type="lambda", arguments={}, **of_mask),
        node("GlobalAveragePooling1D", "p", ["f"], data_format="channels_last"),
    ]
    return with_translations(parse(functional(layers, ["p"])), era)


def masked_mean(values: Any, counted: Any) -> Any:
    return (values * counted).sum(axis=1) / counted.sum(axis=1)


def doubled(x: Any) -> Any:
    return x * 2.0


CASES: dict[str, tuple[Callable[..., Any], Callable[..., Any] | None, Era, Any]] = {
    "no mask": (doubled, None, TENSORFLOW_2, 2 * VALUES.mean(axis=1)),
    "the input itself": (lambda x: x, None, TENSORFLOW_2, masked_mean(VALUES, COUNTED)),
    "a copy of the input": (lambda x: x, None, TENSORFLOW_1, VALUES.mean(axis=1)),
    "the mask of the input": (doubled, lambda x, mask: mask, TENSORFLOW_2, 2 * masked_mean(VALUES, COUNTED)),
    "None": (doubled, lambda x, mask=None: None, TENSORFLOW_2, 2 * VALUES.mean(axis=1)),
    "the input itself, whatever the mask function": (
        lambda x: x,
        lambda x, mask: None,
        TENSORFLOW_2,
        masked_mean(VALUES, COUNTED),
    ),
    "a part of the mask": (
        lambda x: x[:, 1:],
        lambda x, mask: None if mask is None else mask[:, 1:],
        TENSORFLOW_2,
        masked_mean(VALUES[:, 1:], COUNTED[:, 1:]),
    ),
    "a mask of the values": (
        doubled,
        lambda x, mask: K.any(x > 0.75, axis=-1),  # type: ignore[name-defined]  # noqa: F821
        TENSORFLOW_2,
        2 * masked_mean(VALUES, (VALUES > 0.75).any(axis=-1)[..., np.newaxis]),
    ),
    "the mask as an argument": (
        lambda x, mask=None: x if mask is None else x * K.cast(mask, "float32")[..., None],  # type: ignore[name-defined]  # noqa: F821
        None,
        TENSORFLOW_2,
        (VALUES * COUNTED).mean(axis=1),
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_the_layer_behind_sees_the_mask_that_the_runtime_gave(what: str) -> None:
    function, mask, era, wanted = CASES[what]
    graph = pooled(function, mask, era)
    (found,) = forward(graph, weights({("e",): {"embeddings": TABLE}}), [IDS], era.runtime)
    np.testing.assert_allclose(found, wanted)


def test_a_mask_function_is_shown() -> None:
    text = pooled(doubled, lambda x, mask: mask, TENSORFLOW_2).layer("f").config[TRANSLATION].text
    assert text == "lambda x: x * 2.0\n# its mask: lambda x, mask: mask"


def test_a_mask_function_that_follows_masked_inputs_alone_is_translated_for_them() -> None:
    translation = pooled(doubled, lambda x, mask: mask[:, :], TENSORFLOW_2).layer("f").config[TRANSLATION]
    assert [variant.masked for variant in translation.variants] == [(True,)]


def test_what_is_no_mask_is_refused() -> None:
    with pytest.raises(MigrationError, match="a mask that is not a tensor"):
        pooled(doubled, lambda x, mask: 3, TENSORFLOW_2)
