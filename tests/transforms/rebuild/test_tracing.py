"""A model built from one step of its loops has the shapes of the loops; what is served runs without gradients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tf_keras import layers

from tests.transforms.conftest import Migrations
from transforms.rebuild.tracing import shape_only_rnn, shared_stack_trace
from transforms.saved_model.writer import GRAPH

_LAYERS: dict[str, Callable[[], Any]] = {
    "last": lambda: layers.LSTM(3),
    "sequence and states": lambda: layers.LSTM(3, return_sequences=True, return_state=True),
    "states of one": lambda: layers.GRU(3, return_state=True),
    "reset before": lambda: layers.GRU(3, return_sequences=True, reset_after=False),
    "backwards": lambda: layers.SimpleRNN(3, go_backwards=True, return_sequences=True),
    "unrolled": lambda: layers.LSTM(3, unroll=True, return_sequences=True),
    "no cuDNN": lambda: layers.LSTM(3, activation="relu", return_sequences=True),
    "stacked": lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True, return_state=True),
    "both ways": lambda: layers.Bidirectional(layers.GRU(3, return_sequences=True)),
    "both ways, apart": lambda: layers.Bidirectional(layers.LSTM(3, return_state=True), merge_mode=None),
    "each step": lambda: layers.TimeDistributed(layers.Dense(5)),
}


def _built(layer: Any, steps: int | None, batch: int | None, masked: bool) -> list[tuple[Any, ...]]:
    tf_keras.backend.clear_session()
    x = layers.Input((steps, 4), batch_size=batch)
    y = layer(layers.Masking()(x) if masked else x)
    return [(tuple(each.shape), each.dtype, getattr(each, "_keras_mask", None) is None) for each in tf.nest.flatten(y)]


@pytest.mark.parametrize("masked", [False, True], ids=["plain", "masked"])
@pytest.mark.parametrize(("steps", "batch"), [(6, None), (None, None), (6, 2)])
@pytest.mark.parametrize("name", _LAYERS)
def test_one_step_tells_the_shapes_of_the_loop(name: str, steps: int | None, batch: int | None, masked: bool) -> None:
    if name == "unrolled" and steps is None:
        steps = 1
    whole = _built(_LAYERS[name](), steps, batch, masked)
    with shape_only_rnn():
        assert _built(_LAYERS[name](), steps, batch, masked) == whole


def test_one_step_tells_the_shapes_of_convolutional_loops() -> None:
    def built() -> list[tuple[int | None, ...]]:
        x = layers.Input((5, 6, 7, 2))
        y = layers.ConvLSTM2D(3, (2, 3), return_sequences=True, return_state=True)(x)
        return [tuple(each.shape) for each in y]

    whole = built()
    with shape_only_rnn():
        assert built() == whole


def test_what_tf_keras_refuses_is_refused() -> None:
    with shape_only_rnn(), pytest.raises(ValueError, match="Cannot unroll"):
        _built(layers.SimpleRNN(3, unroll=True), None, None, False)


def test_a_model_built_from_one_step_runs_as_any_other() -> None:
    x = layers.Input((None, 4))
    with shape_only_rnn():
        model = tf_keras.Model(x, layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x))
    values = np.random.default_rng(0).random((2, 5, 4), np.float32)
    again = tf_keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(model(values), again(values), rtol=1e-6)
    assert model(values).shape == (2, 5, 6)


def _functions(folder: Path) -> list[Any]:
    (graph,) = SavedModel.FromString((folder / GRAPH).read_bytes()).meta_graphs
    return list(graph.graph_def.library.function)


@pytest.mark.parametrize("name", ["keras-2.3.1/bi_cudnn_gru", "keras-2.2.4/emb_cudnn_lstm"])
def test_a_written_graph_holds_the_kernel_for_gpus_and_no_gradient(migrated: Migrations, name: str) -> None:
    functions = _functions(migrated(name).folder)
    implements = [each.attr["api_implements"].s for each in functions if "api_implements" in each.attr]
    devices = {each.attr["api_preferred_device"].s for each in functions if "api_implements" in each.attr}
    assert devices == {b"CPU", b"GPU"}
    assert all(implements.count(layer) == 2 for layer in implements)
    gradients = {node.op for each in functions for node in each.node_def if "Grad" in node.op or "Backprop" in node.op}
    assert not gradients
    assert not [each.signature.name for each in functions if "backward" in each.signature.name]


def test_one_stack_trace_serves_all_operations_and_errors_still_speak() -> None:
    with tf.Graph().as_default() as graph, shared_stack_trace():
        first, second = tf.constant(1.0), tf.constant(2.0)
        assert first.op.traceback == second.op.traceback
        with pytest.raises(ValueError, match="Dimensions must be equal"):
            tf.matmul(tf.zeros((2, 3)), tf.zeros((2, 3)))
    with graph.as_default():
        assert tf.constant(3.0).op.traceback != first.op.traceback
