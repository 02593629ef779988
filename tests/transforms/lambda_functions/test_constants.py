"""Global names that the operator gives values to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.transforms.hostile_models import dense, dumped, layer, sequential, write_model
from tests.transforms.lambda_functions.stored import translated
from transforms.errors import MigrationError, Reason
from transforms.lambda_functions.constants import parse_constants
from transforms.lambda_functions.translate import NotTranslated
from transforms.legacy.model import open_legacy_model
from transforms.migration.migrate import migrate_model
from transforms.records.outcome import Evidence, MigrationRequest, Status
from transforms.reference import forward


def scaled(x: Any) -> Any:
    return (x - MEAN) * SCALE  # type: ignore[name-defined]  # noqa: F821


def test_a_missing_name_is_named() -> None:
    with pytest.raises(NotTranslated, match="the name MEAN") as refused:
        translated(scaled)
    assert refused.value.reason is Reason.CUSTOM_OBJECTS_NEEDED
    with pytest.raises(NotTranslated, match="the name SCALE"):
        translated(scaled, constants={"MEAN": 1.0})


def test_given_values_are_shown_and_nothing_is_taken_for_granted() -> None:
    found = translated(scaled, constants={"SCALE": 0.5, "MEAN": 3.0, "OTHER": 1})
    assert found.text == "lambda x: (x - 3.0) * 0.5\n# where MEAN = 3.0, SCALE = 0.5"
    assert found.assumed == ()


@pytest.mark.parametrize(
    "value, used",
    [
        (2, 2),
        ([1.0, 2.0], [1.0, 2.0]),
        ({"type": "ndarray", "value": [1, 2]}, [1, 2]),
        ({"class_name": "__tuple__", "items": [1, 2]}, [1, 2]),
    ],
)
def test_values_as_json_holds_them(value: Any, used: Any) -> None:
    steps = translated(lambda x: x * SCALE, constants={"SCALE": value}).expression.steps  # type: ignore[name-defined]  # noqa: F821
    assert steps[0].arguments["y"] == used


@pytest.mark.parametrize("value", [{"class_name": "Dense", "config": {}}, "a" * 20_000, [0] * 20_000])
def test_values_that_are_no_data_are_refused(value: Any) -> None:
    with pytest.raises(NotTranslated):
        translated(lambda x: x * SCALE, constants={"SCALE": value})  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize("text", ["", " ", "{}"])
def test_nothing_may_be_given(text: str) -> None:
    assert parse_constants(text) == {}


@pytest.mark.parametrize(
    "text", ["[]", "1", "{", '{"a": 1}', '{"a": {"x y": 1}}', '{"a": {}, "a": {}}', '{"a": {"": 1}}']
)
def test_what_is_no_object_of_objects_is_refused(text: str) -> None:
    with pytest.raises(MigrationError) as refused:
        parse_constants(text)
    assert refused.value.reason is Reason.INVALID_ROW


@pytest.fixture
def model(tmp_path: Path) -> Path:
    stored = layer("Lambda", name="scaled", function=dumped(scaled), function_type="lambda")
    return write_model(tmp_path / "m.h5", sequential(stored, dense()))


def test_each_layer_has_its_own_constants(model: Path) -> None:
    given = json.dumps({"scaled": {"SCALE": 10.0, "MEAN": 1.0}})
    x = np.array([[1.0, 2.0, 3.0]])
    with open_legacy_model(model, constants=given) as legacy:
        (y,) = forward(legacy.graph, legacy.weights_of, [x], legacy.runtime)
    np.testing.assert_allclose(y, (x - 1) * 10 @ np.arange(12).reshape(3, 4) + 1)


@pytest.mark.parametrize(
    "given, reason, named",
    [
        ({"scaled": {"MEAN": 1.0}}, Reason.CUSTOM_OBJECTS_NEEDED, "SCALE"),
        ({"d1": {"MEAN": 1.0}}, Reason.INVALID_ROW, "d1"),
        ({}, Reason.CUSTOM_OBJECTS_NEEDED, "MEAN"),
    ],
)
def test_what_is_missing_or_meets_no_layer_is_named(
    model: Path, given: dict[str, Any], reason: Reason, named: str
) -> None:
    with pytest.raises(MigrationError, match=named) as refused, open_legacy_model(model, constants=json.dumps(given)):
        pass
    assert refused.value.reason is reason


def test_a_model_migrates_with_them(model: Path, tmp_path: Path) -> None:
    import tf_keras

    staging = tmp_path / "staged"
    staging.mkdir()
    given = json.dumps({"scaled": {"SCALE": 0.1, "MEAN": 1.0}})
    outcome = migrate_model(MigrationRequest("scaled", model, staging, constants=given))
    assert (outcome.status, outcome.evidence) == (Status.MIGRATED, Evidence.REFERENCE), outcome.message
    with np.load(staging / "assets.extra/samples.npz") as held:
        answer = tf_keras.models.load_model(staging, compile=False)(held["x0"])
        np.testing.assert_allclose(np.asarray(answer), held["y0"], rtol=1e-5, atol=1e-6)
