"""Which stored models draw random numbers when they answer, and what is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.transforms.reference.models import Json, functional, layer, nested, node, parse, placeholder, sequential
from transforms.admission.random_outputs import refuse_random_outputs, without_idle_training
from transforms.errors import MigrationError, Reason


def called(class_name: str, name: str, source: str, training: Any = True, **config: Any) -> Json:
    """A layer of a functional model, called with `training`."""
    made = node(class_name, name, [source], **config)
    made["inbound_nodes"] = [[[source, 0, 0, {"training": training}]]]
    return made


def model(*layers: Json, outputs: tuple[str, ...] = ("y",)) -> Json:
    return functional([placeholder("x", (None, 3)), *layers], outputs)


def refusal(config: Json) -> MigrationError:
    with pytest.raises(MigrationError) as caught:
        refuse_random_outputs(parse(config))
    return caught.value


@pytest.mark.parametrize(
    ("drawing", "named"),
    [
        (called("Dropout", "y", "x", rate=0.2), "Dropout called with training=True"),
        (called("GaussianNoise", "y", "x", 1, stddev=0.1), "GaussianNoise called"),
        (called("LSTM", "y", "x", units=2, recurrent_dropout=0.1), "LSTM called"),
        (called("TimeDistributed", "y", "x", layer=layer("Dropout", rate=0.5)), "Dropout called"),
        (called("RandomFlip", "y", "x", mode="horizontal"), "RandomFlip called"),
        (node("TFOpLambda", "y", ["x"], function="random.normal"), "tf.random.normal"),
        (node("TFOpLambda", "y", ["x"], function="keras.backend.random_normal"), "tf.keras.backend.random_normal"),
        (node("TFOpLambda", "y", ["x"], function="nn.dropout"), "tf.nn.dropout"),
        (node("TensorFlowOpLayer", "y", ["x"], node_def={"op": "RandomUniform"}), "RandomUniform"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_draws(drawing: Json, named: str) -> None:
    error = refusal(model(drawing))
    assert error.reason is Reason.RANDOM_OUTPUTS
    assert named in error.message
    assert "column `outputs`" in error.advice


@pytest.mark.parametrize(
    "calm",
    [
        called("Dropout", "y", "x", False, rate=0.2),
        called("Dropout", "y", "x", rate=0.0),
        called("Dense", "y", "x", units=2),
        called("LSTM", "y", "x", units=2, dropout=0.0, recurrent_dropout=0.0),
        node("Dropout", "y", ["x"], rate=0.5),
        node("TFOpLambda", "y", ["x"], function="math.add"),
    ],
    ids=["at inference", "no rate", "no noise", "no dropout", "not stored", "a pure function"],
)
def test_what_does_not(calm: Json) -> None:
    graph = parse(model(calm))
    refuse_random_outputs(graph)
    assert not any(call.kwargs for call in without_idle_training(graph).layer("y").calls)


def test_training_of_a_model_holds_for_the_layers_inside_unless_they_say_otherwise() -> None:
    inner = sequential(layer("Dropout", "d", rate=0.5, batch_input_shape=[None, 3]), name="inner")
    outer = nested(inner, "inner", ["x"])
    outer["inbound_nodes"] = [[["x", 0, 0, {"training": True}]]]
    assert refusal(model(outer, outputs=("inner",))).layer == ("inner", "d")
    held = functional([placeholder("i", (None, 3)), called("Dropout", "d", "i", False, rate=0.5)], ["d"], "inner")
    outer = nested(held, "inner", ["x"])
    outer["inbound_nodes"] = [[["x", 0, 0, {"training": True}]]]
    refuse_random_outputs(parse(model(outer, outputs=("inner",))))


def test_outputs_that_are_free_of_it_are_named() -> None:
    mean = node("Dense", "mean", ["x"], units=3)
    drawn = node("TFOpLambda", "noise", ["mean"], function="random.normal")
    both = node("Add", "y", ["mean", "noise"])
    assert "(free of it: mean)" in refusal(model(mean, drawn, both, outputs=("mean", "y"))).advice
    assert "(free of it: mean)" in refusal(model(mean, drawn, both)).advice


def test_statistics_of_the_batch() -> None:
    error = refusal(model(called("BatchNormalization", "y", "x")))
    assert error.reason is Reason.UNSUPPORTED_LAYER
    assert "by the batch it is given" in error.message
