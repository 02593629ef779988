"""What a model takes is known before it is run: counted by hand here, and refused within a moment where it is much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.fixture_files import fixture_files
from tests.transforms.reference.models import Json, functional, layer, nested, node, parse, placeholder, sequential
from transforms.architecture.graph import LayerPath
from transforms.errors import MigrationError, Reason
from transforms.inspection.work import Work, rows_worth_drawing
from transforms.inspection.work_estimate import estimated_work, refuse_excessive_work
from transforms.legacy.model import open_legacy_model
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.runtime import runtime_of

KERAS_2 = runtime_of("2.2.4", "tensorflow")
MILLION = 1_000_000


def work(model: Json, scalars: Mapping[LayerPath, int] | None = None, length: int = 10) -> Work:
    return estimated_work(parse(model), KERAS_2, scalars or {}, length)


def first(class_name: str, shape: list[int | None], **config: Any) -> Json:
    return layer(class_name, batch_input_shape=[None, *shape], **config)


def image(class_name: str, extent: int, channels: int, **config: Any) -> Json:
    return sequential(first(class_name, [extent, extent, channels], data_format="channels_last", **config))


def units(count: int) -> dict[str, Any]:
    return {"units": count, "activation": "linear", "use_bias": True}


def window(filters: int, size: int, **config: Any) -> dict[str, Any]:
    return {"filters": filters, "kernel_size": [size, size], "strides": [1, 1], "padding": "same", **config}


@pytest.mark.parametrize(
    ("model", "scalars", "multiplications", "steps"),
    [
        (sequential(first("Dense", [8], **units(5))), {("dense",): 45}, 45, 0),
        (sequential(first("Dense", [7, 8], **units(5))), {("dense",): 45}, 7 * 45, 0),
        (image("Conv2D", 20, 3, **window(4, 3)), {("conv2d",): 112}, 400 * 112, 0),
        (image("Conv2D", 20, 3, **window(4, 3, strides=[2, 2])), {("conv2d",): 112}, 100 * 112, 0),
        (image("Conv2DTranspose", 20, 3, **window(4, 3, strides=[2, 2])), {("conv2dtranspose",): 112}, 400 * 112, 0),
        (image("LocallyConnected2D", 20, 3, **window(4, 3)), {("locallyconnected2d",): 999}, 999, 0),
        (sequential(first("LSTM", [30, 8], **units(5))), {("lstm",): 280}, 30 * 280, 30),
        (sequential(first("LSTM", [None, 8], **units(5))), {("lstm",): 280}, 10 * 280, 10),
        (
            sequential(
                layer(
                    "Bidirectional", batch_input_shape=[None, 30, 8], layer=layer("GRU", **units(5)), merge_mode="sum"
                )
            ),
            {("bidirectional", "forward"): 210},
            2 * 30 * 210,
            2 * 30,
        ),
        (
            sequential(layer("TimeDistributed", batch_input_shape=[None, 6, 8], layer=layer("Dense", **units(5)))),
            {("timedistributed", "layer"): 45},
            6 * 45,
            0,
        ),
        (sequential(first("Embedding", [30], input_dim=1000, output_dim=8)), {("embedding",): 8000}, 0, 0),
    ],
)
def test_multiplications_and_steps(
    model: Json, scalars: Mapping[LayerPath, int], multiplications: float, steps: int
) -> None:
    found = work(model, scalars)
    assert found.multiplications == multiplications
    assert found.steps == steps


def test_the_largest_tensor_counts_channels() -> None:
    found = work(image("Conv2D", 100, 1, **window(64, 3)), {("conv2d",): 640})
    assert found.largest == 100 * 100 * 64
    assert found.widest == ("conv2d",)


def test_models_that_call_each_other_are_counted_without_being_walked() -> None:
    inner = functional([placeholder("x", (None, 4)), node("Dense", "d", ["x"], **units(4))], ["d"])
    for depth in range(30):
        called_twice = nested(inner, f"m{depth}", ["x"], [f"m{depth}"])
        inner = functional([placeholder("x", (None, 4)), called_twice], [(f"m{depth}", 1, 0)])
    assert work(inner).calls == 2**30


def test_every_fixture_is_within_the_budget() -> None:
    for fixture in fixture_files():
        if "refused" not in fixture.features:
            with open_legacy_model(fixture.source) as model:
                assert refuse_excessive_work(model, DEFAULT_LIMITS).calls > 0


def test_a_refusal_names_limit_layer_and_option(monkeypatch: pytest.MonkeyPatch) -> None:
    fixture = next(each for each in fixture_files() if each.name == "keras-2.2.4/emb_cudnn_lstm")
    with open_legacy_model(fixture.source) as model:
        for limit, option in (("work", "--max-work"), ("tensor_values", "--max-tensor-values")):
            with pytest.raises(MigrationError) as caught:
                refuse_excessive_work(model, Limits(**{limit: 3}))
            assert caught.value.reason is Reason.OVER_BUDGET
            assert f"{limit}=3" in caught.value.message
            assert option in caught.value.advice
            assert caught.value.layer


def test_a_loop_of_a_million_steps_is_beyond_the_default_budget() -> None:
    found = work(sequential(first("SimpleRNN", [MILLION, 2], **units(4))), {("simplernn",): 28})
    assert found.of_batches(1, 1) > DEFAULT_LIMITS.work
    assert found.worst == ("simplernn",)


@pytest.mark.parametrize(
    ("extent", "masked", "rows"),
    [(16, False, (4, 3)), (384, False, (1, 1)), (4000, False, (1,)), (16, True, (4, 3)), (384, True, (4, 1))],
)
def test_rows_are_as_many_as_the_work_allows(extent: int, masked: bool, rows: tuple[int, ...]) -> None:
    model = sequential(
        first("Conv2D", [extent, extent, 3], data_format="channels_last", **window(32, 3)),
        layer("Conv2D", "second", data_format="channels_last", **window(32, 3)),
    )
    found = work(model, {("conv2d",): 896, ("second",): 9248})
    assert rows_worth_drawing(found, masked=masked) == rows
