"""Functions whose meaning depends on TensorFlow's version, which standalone Keras 2.3 does not record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.transforms.lambda_functions.stored import ERA, TENSORFLOW_2, translated
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.translate import NotTranslated
from transforms.records.runtime import runtime_of

EITHER = Era(runtime_of("2.3.1", "tensorflow"), None)
IMAGE = (None, 4, 4, 2)
tf: Any = None  # the functions are read, never run


@pytest.mark.parametrize(
    ("era", "function", "meaning"),
    [
        (ERA, lambda x: tf.image.resize(x, (8, 8)), "tf.compat.v1.image.resize_bilinear"),
        (TENSORFLOW_2, lambda x: tf.image.resize(x, (8, 8)), "tf.image.resize"),
        (EITHER, lambda x: tf.image.resize(x, (8, 8), align_corners=True), "tf.compat.v1.image.resize_bilinear"),
        (EITHER, lambda x: tf.image.resize(x, (8, 8), antialias=False), "tf.image.resize"),
        (EITHER, lambda x: tf.image.resize_bilinear(x, (8, 8)), "tf.compat.v1.image.resize_bilinear"),
    ],
)
def test_resizing(era: Era, function: Callable[..., Any], meaning: str) -> None:
    (step,) = translated(function, IMAGE, era=era).expression.steps
    assert f"tf.{step.function}" == meaning


def test_resizing_is_refused_where_the_file_does_not_determine_it() -> None:
    with pytest.raises(NotTranslated, match="TensorFlow 1 and 2 compute differently"):
        translated(lambda x: tf.image.resize(x, (8, 8)), IMAGE, era=EITHER)
