"""Functions whose meaning depends on TensorFlow's version, which standalone Keras 2.3 does not record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.transforms.hostile_models import dumped, layer, sequential, write_model
from tests.transforms.lambda_functions.stored import ERA, TENSORFLOW_2, translated
from transforms.evidence.readings import answers_with_assumptions
from transforms.lambda_functions.trace import Era
from transforms.lambda_functions.translate import NotTranslated
from transforms.legacy.model import open_legacy_model
from transforms.legacy.open_questions import read_as
from transforms.records.assumptions import Choice
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


def resizing(folder: Path, function: Callable[..., Any], version: str) -> Path:
    """A model of a release of standalone Keras that resizes its input."""
    stored = layer("Lambda", name="up", function=dumped(function), function_type="lambda")
    stored["config"]["batch_input_shape"] = [None, 2, 2, 1]

    def edit(file: Any) -> None:
        file.attrs["keras_version"] = np.bytes_(version.encode())
        weights = file["model_weights"]
        del weights["d1"]
        weights.attrs["layer_names"] = np.array([b"up"])
        weights.create_group("up").attrs["weight_names"] = np.array([], "S1")

    return write_model(folder / "m.h5", sequential(stored), edit)


def outputs(model: Any) -> tuple[Any, list[str]]:
    ((answer, assumptions),) = answers_with_assumptions(model, [[np.arange(4.0).reshape(1, 2, 2, 1)]])
    return answer[0], [each.question for each in assumptions if each.alternatives]


def test_the_tensorflow_of_a_file_is_an_open_question_where_a_function_depends_on_it(tmp_path: Path) -> None:
    with open_legacy_model(resizing(tmp_path, lambda x: tf.image.resize(x, (4, 4)), "2.3.1")) as model:
        (question,) = [each.assumption for each in model.open_questions]
        assert (question.question, question.layer, question.assumed, question.alternatives) == (
            "TensorFlow",
            "up",
            "2",
            ("1",),
        )
        later, assumed = outputs(model)
        earlier, decided = outputs(read_as(model, [Choice("TensorFlow", "up", "1")]))
    assert (assumed, decided) == (["TensorFlow"], [])
    # Aligned to the centres of pixels, and from the first pixel on (tensorflow/core/util/image_resizer_state.h).
    assert later[0, 0, :, 0].tolist() == [0.0, 0.25, 0.75, 1.0]
    assert earlier[0, 0, :, 0].tolist() == [0.0, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    ("function", "version"),
    [
        (lambda x: tf.image.resize(x, (4, 4)), "2.2.4"),
        (lambda x: tf.image.resize(x, (4, 4), align_corners=True), "2.3.1"),
        (lambda x: x * 2.0, "2.3.1"),
    ],
)
def test_no_question_arises_where_the_release_or_the_function_settles_it(
    function: Callable[..., Any], version: str, tmp_path: Path
) -> None:
    with open_legacy_model(resizing(tmp_path, function, version)) as model:
        assert model.open_questions == ()
