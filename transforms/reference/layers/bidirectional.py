"""Bidirectional: a recurrent layer in both directions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from transforms.architecture.graph import Layer, LayerPath
from transforms.reference.dialect import Evaluator, Tensors
from transforms.reference.layer_call import Array, Mask, NotCovered
from transforms.reference.layers.recurrent_layers import run_recurrent
from transforms.reference.masks.masked_steps import masked_output_in_bidirectional


def bidirectional(layer: Layer, inputs: Tensors, evaluator: Evaluator) -> Tensors:
    """Bidirectional: the wrapped layer forwards, and a layer with its own weights backwards.

    y = forward(x); y' = backward(x), with its sequence in the order of the input; merged by `merge_mode`. Initial
    states follow the sequence, the first half for the forward layer. Returned states follow the outputs, the forward
    layer's first (`wrappers.py` of every runtime).
    """
    forward = layer.slots["forward"]
    sequence, half = slice(0, 1), (len(inputs.values) - 1) // 2
    if (len(inputs.values) - 1) % 2:
        raise NotCovered(f"{len(inputs.values) - 1} initial states for two directions", layer.path)
    results = []
    for direction, states in ((forward, slice(1, 1 + half)), (backward_layer(layer), slice(1 + half, None))):
        values = inputs.values[sequence] + inputs.values[states]
        masks = inputs.masks[sequence] + inputs.masks[states]
        results.append(run_recurrent(direction, Tensors(values, masks), evaluator, masked_output_in_bidirectional))
    (y, *forward_states), (y_back, *backward_states) = results
    returns_sequences = bool(forward.config.get("return_sequences", False))
    if returns_sequences:
        y_back = np.flip(y_back, axis=_reversed_axis(forward, evaluator))
    outputs = _merged(layer, y, y_back)
    mask: Mask = inputs.masks[0] if returns_sequences else None
    states_out = (*forward_states, *backward_states)
    return Tensors((*outputs, *states_out), (*(mask,) * len(outputs), *(None,) * len(states_out)))


def _reversed_axis(forward: Layer, evaluator: Evaluator) -> int:
    """The time axis; before TensorFlow 2.3 the second axis, whatever it was (`Bidirectional.call` in wrappers.py)."""
    time_major = bool(forward.config.get("time_major"))
    return int(
        not (
            time_major
            and evaluator.writer.agree_on(
                lambda release: release >= (2, 3), "the axis that a time-major Bidirectional reverses", forward.path
            )
        )
    )


def _merged(layer: Layer, y: Array, y_back: Array) -> tuple[Array, ...]:
    """`merge_mode` concat (on the last axis, whichever it is), sum, mul, ave, or None for two separate outputs."""
    mode = layer.config.get("merge_mode", "concat")
    if mode is None:
        return (y, y_back)
    if mode == "concat":
        return (np.concatenate([y, y_back], axis=-1),)
    if mode == "sum":
        return (y + y_back,)
    if mode == "ave":
        return ((y + y_back) / 2.0,)
    if mode == "mul":
        return (y * y_back,)
    raise NotCovered(f"merge_mode {mode!r}", layer.path)


def backward_layer(layer: Layer) -> Layer:
    """The backward layer: the stored one, else the forward one in the other direction, with its own weights."""
    if "backward" in layer.slots:
        return layer.slots["backward"]
    forward = layer.slots["forward"]
    config = {**forward.config, "go_backwards": not forward.config.get("go_backwards", False)}
    return replace(_moved(forward, (*layer.path, "backward")), config=config)


def _moved(layer: Layer, path: LayerPath) -> Layer:
    slots = {slot: _moved(inner, (*path, *inner.path[len(layer.path) :])) for slot, inner in layer.slots.items()}
    return replace(layer, path=path, slots=slots)
