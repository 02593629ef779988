"""Graphs: sharing, nesting, several inputs and outputs, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.transforms.reference.layer_calls import random_array
from tests.transforms.reference.models import (
    Json,
    functional,
    layer,
    nested,
    node,
    parse,
    placeholder,
    sequential,
    weights,
)
from transforms.architecture.graph import LayerPath
from transforms.records.runtime import runtime_of
from transforms.reference import NotCovered, forward, forward_batches, layer_weights
from transforms.reference.layer_call import Array

_A, _B = random_array(3, 3), random_array(3, 3, seed=1)


def _run(model: Json, held: Any, *inputs: Array, version: str = "2.2.4") -> list[Array]:
    return forward(parse(model), weights(held), inputs, runtime_of(version, "tensorflow"))


def _dense(name: str, *calls: Any) -> Json:
    return node("Dense", name, *calls, units=3, activation="linear", use_bias=False)


def test_a_shared_layer_runs_once_for_each_call() -> None:
    x, y = random_array(2, 3), random_array(2, 3, seed=2)
    layers = [placeholder("x", (None, 3)), placeholder("y", (None, 3)), _dense("d", ["x"], ["y"], [("d", 0, 0)])]
    found = _run(functional(layers, [("d", 2, 0), ("d", 1, 0), "x"]), {("d",): {"kernel": _A}}, x, y)
    for value, expected in zip(found, (x @ _A @ _A, y @ _A, x), strict=True):
        np.testing.assert_allclose(value, expected)


def test_only_what_the_outputs_need_is_run() -> None:
    layers = [placeholder("x", (None, 3)), _dense("d", ["x"]), node("Unheard", "u", ["x"])]
    (found,) = _run(functional(layers, ["d"]), {("d",): {"kernel": _A}}, np.eye(3))
    np.testing.assert_array_equal(found, _A)


def _inner(name: str) -> Json:
    """Two inputs, two outputs: x A, and x A + y B."""
    layers = [
        placeholder("x", (None, 3)),
        placeholder("y", (None, 3)),
        _dense("a", ["x"]),
        _dense("b", ["y"]),
        node("Add", "sum", ["a", "b"]),
    ]
    return functional(layers, ["a", "sum"], name)


@pytest.mark.parametrize("base", [0, 1])
def test_a_nested_model_called_twice(base: int) -> None:
    """Keras counts the calls of a nested model from 1 where it was built with inputs of its own."""
    x, y = random_array(2, 3), random_array(2, 3, seed=2)
    calls = (["x", "y"], [("m", base, 1), ("m", base, 0)])
    layers = [placeholder("x", (None, 3)), placeholder("y", (None, 3)), nested(_inner("m"), "m", *calls)]
    model = functional(layers, [("m", base + 1, 0), ("m", base + 1, 1)])
    found = _run(model, {("m", "a"): {"kernel": _A}, ("m", "b"): {"kernel": _B}}, x, y)
    first, second = x @ _A, x @ _A + y @ _B
    np.testing.assert_allclose(found[0], second @ _A)
    np.testing.assert_allclose(found[1], second @ _A + first @ _B)


def test_a_sequential_of_models() -> None:
    inner = sequential(layer("Dense", "d", units=3, use_bias=False, batch_input_shape=[None, 3]), name="inner")
    model = sequential(inner, layer("Activation", "t", activation="tanh"))
    (found,) = _run(model, {("inner", "d"): {"kernel": _A}}, np.eye(3))
    np.testing.assert_allclose(found, np.tanh(_A))


def test_depth_is_no_recursion() -> None:
    names = [f"a{index}" for index in range(5000)]
    chain = [node("Activation", name, [before], activation="relu") for before, name in zip(["x", *names], names)]  # noqa: B905
    (found,) = _run(functional([placeholder("x", (None, 1)), *chain], [names[-1]]), {}, np.array([[2.0]]))
    assert found == 2.0


def test_a_mask_travels_to_its_consumer() -> None:
    """Embedding -> Dropout -> nested model with an LSTM: padding must not count."""
    ids = np.array([[1, 2, 0]])
    lstm = layer("LSTM", "l", units=1, activation="tanh", recurrent_activation="sigmoid")
    inner = sequential(layer("Dropout", "drop", rate=0.5, batch_input_shape=[None, None, 2]), lstm, name="inner")
    layers = [
        placeholder("x", (None, None)),
        node("Embedding", "e", ["x"], input_dim=3, output_dim=2, mask_zero=True),
        nested(inner, "inner", ["e"]),
    ]
    model = functional(layers, [("inner", 0, 0)])
    held = {
        ("e",): {"embeddings": random_array(3, 2)},
        ("inner", "l"): {"kernel": random_array(2, 4), "recurrent_kernel": random_array(1, 4), "bias": random_array(4)},
    }
    for version in ("2.2.4", "2.15.0", "2.2.4-tf"):
        padded, bare = _run(model, held, ids, version=version), _run(model, held, ids[:, :2], version=version)
        np.testing.assert_allclose(padded[0], bare[0])
    with pytest.raises(NotCovered, match=r"before 2\.2\.3"):
        _run(model, held, ids, version="2.1.6")


def _leaving() -> Json:
    """A mask that leaves a nested model, and an LSTM that may see it."""
    inner = sequential(layer("Dropout", "drop", rate=0.5, batch_input_shape=[None, None, 2]), name="inner")
    return functional(
        [
            placeholder("x"),
            node("Masking", "m", ["x"], mask_value=0.0),
            nested(inner, "inner", ["m"]),
            node("SimpleRNN", "r", [("inner", 0, 0)], units=1, activation="tanh"),
        ],
        ["r"],
    )


_RNN = {("r",): {"kernel": random_array(2, 1), "recurrent_kernel": random_array(1, 1), "bias": random_array(1)}}


def test_releases_that_differ_leave_the_question_open() -> None:
    """tf.keras 1.13 lets no mask leave a nested model, 1.14 does: a difference only where something is masked."""
    x = random_array(1, 3, 2)
    (full,) = _run(_leaving(), _RNN, x, version="2.2.4-tf")
    assert full.shape == (1, 1)
    x[0, 2] = 0.0
    with pytest.raises(NotCovered, match=r"leaves a nested model differs .* \(1\.13, 1\.14, 2\.0\)"):
        _run(_leaving(), _RNN, x, version="2.2.4-tf")


def test_a_sign_of_the_release_settles_it() -> None:
    x = random_array(1, 3, 2)
    x[0, 2] = 0.0
    (counts,) = _run(_leaving(), _RNN, x[:, :2], version="2.3.1")
    (later,) = _run(_leaving(), _RNN, x, version="2.5.0")
    np.testing.assert_allclose(later, counts)
    model = _leaving()
    normalization = node("BatchNormalizationV1", "bn", ["r"], axis=[1], epsilon=0.001, scale=False, center=False)
    model["config"]["layers"].append(normalization)
    model["config"]["output_layers"] = [["bn", 0, 0]]
    plain = {("bn",): {"moving_mean": np.zeros(1), "moving_variance": np.ones(1) - 0.001}}
    (lost,) = _run(model, {**_RNN, **plain}, x, version="2.2.4-tf")
    unmasked = functional([placeholder("x"), node("SimpleRNN", "r", ["x"], units=1, activation="tanh")], ["r"])
    np.testing.assert_allclose(lost, _run(unmasked, _RNN, x)[0])


def test_stateful_layers_start_afresh() -> None:
    """Every request starts from zeros; a second call within one request is where TensorFlow 2 would carry on."""
    x = random_array(2, 3, 2)
    layers = [
        placeholder("x", (2, 3, 2)),
        node("SimpleRNN", "r", ["x"], ["x"], units=1, activation="tanh", stateful=True),
    ]
    model = functional(layers, [("r", 0, 0), ("r", 1, 0)])
    first, second = _run(model, _RNN, x)
    np.testing.assert_array_equal(first, second)
    with pytest.raises(NotCovered, match="stateful"):
        _run(model, _RNN, x, version="2.8.0")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"class_name": "Mystery"}, "the layer class Mystery"),
        ({"config": {"name": "d", "activation": "mine"}}, "activation 'mine'"),
        ({"config": {"name": "d", "dtype": "float16"}}, "half precision"),
        ({"config": {"name": "d", "dtype": {"class_name": "Policy", "config": {"name": "mixed_float16"}}}}, "half"),
        ({"inbound_nodes": [[["x", 0, 0, {"training": True}]]]}, "training=True"),
    ],
)
def test_refused(changed: Json, message: str) -> None:
    model = functional([placeholder("x", (None, 3)), {**_dense("d", ["x"]), **changed}], ["d"])
    with pytest.raises(NotCovered, match=message):
        _run(model, {("d",): {"kernel": _A}}, np.eye(3), version="2.15.0")


def test_wrong_number_of_arrays() -> None:
    with pytest.raises(NotCovered, match="2 arrays for 1 inputs"):
        _run(functional([placeholder("x")], ["x"]), {}, np.eye(2), np.eye(2))


def test_numbers_beyond_float32() -> None:
    model = sequential(layer("Activation", activation="exponential", batch_input_shape=[None, 1]))
    with pytest.raises(NotCovered, match="range of float32"):
        _run(model, {}, np.array([[100.0]]))


def _counted(held: Any, asked: list[LayerPath]) -> Any:
    weights_of = weights(held)

    def counted(path: LayerPath) -> Any:
        asked.append(path)
        return weights_of(path)

    return counted


@pytest.mark.parametrize("is_nested", [False, True])
def test_batches_pass_each_layer_together_so_that_it_is_read_once(
    monkeypatch: pytest.MonkeyPatch, is_nested: bool
) -> None:
    monkeypatch.setattr(layer_weights, "_KEPT_BYTES", 0)  # as if every layer were large
    model = functional([placeholder("x", (None, 3)), _dense("a", ["x"]), _dense("b", ["a"])], ["b"], "inner")
    held = {("a",): {"kernel": _A}, ("b",): {"kernel": _B}}
    if is_nested:
        held = {("inner", *path): arrays for path, arrays in held.items()}
        model = functional([placeholder("z", (None, 3)), nested(model, "inner", ["z"])], ["inner"])
    asked: list[LayerPath] = []
    batches = [[random_array(size, 3, seed=size)] for size in (2, 5, 1)]
    answers = forward_batches(parse(model), _counted(held, asked), batches, runtime_of("2.2.4", "tensorflow"))
    assert asked == list(held)
    for answer, (x,) in zip(answers, batches, strict=True):
        assert not isinstance(answer, Exception)
        np.testing.assert_allclose(answer[0], x @ _A @ _B)


def test_a_batch_without_an_answer_takes_none_from_the_others() -> None:
    model = functional([placeholder("x", (None, 3)), _dense("d", ["x"])], ["d"])
    fits, wrong = random_array(2, 3), random_array(2, 4)
    answers = forward_batches(
        parse(model),
        weights({("d",): {"kernel": _A}}),
        [[wrong], [fits], [fits, fits], [np.full((1, 3), 1e308)]],
        runtime_of("2.2.4", "tensorflow"),
    )
    assert [type(answer) for answer in answers] == [ValueError, list, NotCovered, NotCovered]
    np.testing.assert_allclose(answers[1], [fits @ _A])  # type: ignore[arg-type]
