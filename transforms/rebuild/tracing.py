"""Reduces the graphs that tf-keras traces for recurrent layers.

A functional model is built by tracing every layer into a graph that is thrown away: only shapes, dtypes and masks are
used. So the loop over time is not needed; one step determines its shapes.

`lstm_with_backend_selection` and `gru_with_backend_selection` (layers/rnn/lstm.py, gru.py) trace a layer twice: as a
loop, and as cuDNN's kernel, which TensorFlow substitutes on a GPU. Registering the kernel
(`gru_lstm_utils.function_register`) also builds its gradients, which an inference graph never needs.

The body of a loop reads a variable at every step, which alone makes the loop stateful; converters to other runtimes do
not support such loops. Nothing assigns variables during the inference of a canonical model, so they are read before the
loop.

TensorFlow also records the Python stack of every operation, which takes a twelfth of all tracing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops.control_flow_v2_func_graphs import ControlFlowFuncGraph
from tensorflow.python.ops.resource_variable_ops import BaseResourceVariable
from tensorflow.python.util import tf_stack
from tf_keras.src import backend
from tf_keras.src.layers.rnn import gru_lstm_utils

_loop = backend.rnn


@contextmanager
def shape_only_rnn() -> Iterator[None]:
    """Recurrent layers called in the context, in a graph, give tensors of the right shape and dtype that cannot be
    run.
    """
    with patched(gru_lstm_utils, "function_register", lambda *_, **__: None), patched(backend, "rnn", _one_step):
        yield


@contextmanager
def without_gradients() -> Iterator[None]:
    """Recurrent layers called in the context run on every device, including GPUs, but have no gradients."""

    def register(function: Any, *arguments: Any, **options: Any) -> Any:
        concrete = function.get_concrete_function(*arguments, **options)
        concrete.add_to_graph()
        return concrete

    with patched(gru_lstm_utils, "function_register", register):
        yield


@contextmanager
def variables_read_once() -> Iterator[None]:
    """In each graph that is traced inside, a variable is read once, before the loops and branches that need it.

    For models that assign no variables when they answer.
    """
    read = BaseResourceVariable._read_variable_op
    values: dict[tuple[int, int], tuple[Any, Any]] = {}

    def read_once(variable: Any, no_copy: bool = False) -> Any:
        graph = ops.get_default_graph()
        if no_copy or not isinstance(graph, tf.__internal__.FuncGraph):
            return read(variable, no_copy)
        while isinstance(graph, ControlFlowFuncGraph):  # a loop or a branch
            graph = graph.outer_graph
        if (id(graph), id(variable)) not in values:
            with graph.as_default():
                values[id(graph), id(variable)] = graph, read(variable)  # a graph that lives keeps its id
        return values[id(graph), id(variable)][1]

    with patched(BaseResourceVariable, "_read_variable_op", read_once):
        yield


def _one_step(
    step_function: Callable[[Any, Any], tuple[Any, Any]],
    inputs: Any,
    initial_states: Sequence[Any],
    go_backwards: bool = False,
    mask: Any = None,
    constants: Sequence[Any] | None = None,
    unroll: bool = False,
    input_length: Any = None,
    time_major: bool = False,
    zero_output_for_mask: bool = False,
    return_all_outputs: bool = True,
) -> tuple[Any, Any, list[Any]]:
    """`backend.rnn` after one step: (last output, outputs over time, states). Arguments that it might refuse go to the
    original.
    """
    flat_inputs = tf.nest.flatten(inputs)
    plain = not unroll and (mask is None or initial_states) and all(len(x.shape) >= 3 for x in flat_inputs)
    if not plain or tf.executing_eagerly():
        ways = {"mask": mask, "constants": constants, "unroll": unroll, "input_length": input_length}
        ways |= {"time_major": time_major, "zero_output_for_mask": zero_output_for_mask}
        ways |= {"go_backwards": go_backwards, "return_all_outputs": return_all_outputs}
        found: tuple[Any, Any, list[Any]] = _loop(step_function, inputs, initial_states, **ways)
        return found
    batch, steps = flat_inputs[0].shape[1 if time_major else 0], flat_inputs[0].shape[0 if time_major else 1]
    first = tf.nest.map_structure(lambda x: x[0] if time_major else x[:, 0], inputs)
    output, states = step_function(first, (*initial_states, *(constants or ())))

    def over_time(y: Any) -> Any:
        extents = [batch, steps if return_all_outputs else 1]
        return tf.compat.v1.placeholder(y.dtype, [*(extents[::-1] if time_major else extents), *y.shape[1:]])

    return output, tf.nest.map_structure(over_time, output), tf.nest.flatten(states)


@contextmanager
def patched(module: ModuleType | type, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Replaces a function in its module or class for callers that look it up at each call."""
    known = getattr(module, name)
    setattr(module, name, function)
    try:
        yield
    finally:
        setattr(module, name, known)


@contextmanager
def shared_stack_trace() -> Iterator[None]:
    """Operations made in the context share one stack trace, which is only shown in errors and never saved."""
    here = tf_stack.extract_stack()
    with patched(tf_stack, "extract_stack", lambda stacklevel=1: here):
        yield
