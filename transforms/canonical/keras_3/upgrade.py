"""Rewrites single layers and operations of Keras 3 in terms of Keras 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from transforms.architecture.config_values import activation_name
from transforms.architecture.graph import Layer
from transforms.architecture.keras_3 import KERAS_3_ACTIVATIONS, OPERANDS, OPERATION
from transforms.canonical.model import Array, CanonicalArray, LayerRewrite, RewriteContext
from transforms.canonical.subgraph import TENSOR_OP, SubgraphBuilder, moved_arrays
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.registry import WEIGHTLESS
from transforms.records.runtime import Family

#: Activations that tf-keras has under the same name with the same formula.
_SAME = frozenset(
    "linear relu relu6 sigmoid tanh softmax softplus softsign elu selu exponential swish silu gelu".split()
)

#: Activations that become a TensorFlow function, see `rebuild.keras_3_ops`.
_FUNCTIONS = KERAS_3_ACTIVATIONS - _SAME

#: Which of the gates, side by side on the last axis of every array, `recurrent_activation` acts on.
_GATES: Mapping[str, tuple[bool, ...]] = {
    **dict.fromkeys(("LSTM", "LSTMCell", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"), (True, True, False, True)),
    **dict.fromkeys(("GRU", "GRUCell"), (True, True, False)),
}
_CELLS = frozenset({*_GATES, "SimpleRNN", "SimpleRNNCell"})


def upgrade_keras_3(rewrite: LayerRewrite, context: RewriteContext) -> LayerRewrite:
    """Rewrites operations, Identity, LeakyReLU's slope, and activations that tf-keras lacks or defines differently."""
    if context.runtime.family is not Family.KERAS_3 or rewrite.layer.graph is not None:
        return rewrite
    layer = rewrite.layer
    if layer.class_name.startswith(OPERATION):
        return _operation(rewrite)
    if layer.class_name == "Identity":
        config = {"name": layer.name, "activation": "linear"}
        return rewrite.rewritten(replace(layer, class_name="Activation", config=config), "keras_3_upgraded", "Identity")
    if layer.class_name == "LeakyReLU":
        return rewrite.rewritten(_with_alpha(layer), "keras_3_upgraded", "negative_slope to alpha")
    if layer.class_name in _CELLS:
        return _gates_scaled(rewrite)
    return _activation_apart(rewrite)


def _with_alpha(layer: Layer) -> Layer:
    slope = layer.config.get("negative_slope")
    return replace(layer, config={**layer.config, "alpha": 0.3 if slope is None else slope})


def _operation(rewrite: LayerRewrite) -> LayerRewrite:
    """An operation as a TensorFlow function: `operands` are its arguments, `options` the rest of its config."""
    layer = rewrite.layer
    op = layer.class_name.removeprefix(OPERATION)
    options = {key: layer.config[key] for key in ("axis", "keepdims", "dtype") if layer.config.get(key) is not None}
    config = {"op": "operation", "options": {"name": op, OPERANDS: layer.config[OPERANDS], **options}}
    return rewrite.rewritten(replace(layer, class_name=TENSOR_OP, config=config), "keras_3_upgraded", f"operation {op}")


def _gates_scaled(rewrite: LayerRewrite) -> LayerRewrite:
    """Scales gates from Keras 3's hard sigmoid, clip(x / 6 + 1/2, 0, 1), to Keras 2's, clip(x / 5 + 1/2, 0, 1).

    The gate's columns of kernel, recurrent kernel and bias are multiplied by 5/6: 5/6 x / 5 = x / 6.
    """
    layer = rewrite.layer
    for option in ("activation", "recurrent_activation"):
        name = activation_name(layer.config.get(option))
        scaled = option == "recurrent_activation" and layer.class_name in _GATES and name == "hard_sigmoid"
        if layer.config.get(option) is not None and name not in _SAME and not scaled:
            raise _unsupported(layer, f"The {option} {name!r} of Keras 3 in {layer.class_name} is not supported")
    if activation_name(layer.config.get("recurrent_activation")) != "hard_sigmoid":
        return rewrite
    gates = _GATES[layer.class_name]
    arrays = {role: _scaled(array, gates) for role, array in rewrite.own_arrays.items()}
    config = {**layer.config, "recurrent_activation": "hard_sigmoid"}
    return rewrite.rewritten(
        replace(layer, config=config), "hard_sigmoid_scaled", "gates by 5/6", arrays=rewrite.with_own_arrays(arrays)
    )


def _scaled(array: CanonicalArray, gates: tuple[bool, ...]) -> CanonicalArray:
    factors = np.repeat([5.0 / 6.0 if gate else 1.0 for gate in gates], array.shape[-1] // len(gates))

    def change(values: Array) -> Array:
        return np.asarray(values * factors, dtype=values.dtype)

    return array.mapped(change)


def _activation_apart(rewrite: LayerRewrite) -> LayerRewrite:
    """An activation that tf-keras lacks, or defines differently, as a function or layer after the layer."""
    layer = rewrite.layer
    stored = layer.config.get("activation")
    name = activation_name(stored)
    if stored is None or (name in _SAME and not _is_layer(stored)):
        return rewrite
    builder = SubgraphBuilder(layer)
    inner_name = f"{layer.name}_linear"
    linear = replace(layer, config={**layer.config, "activation": "linear"})
    y = builder.place(linear, inner_name, *builder.inputs)
    if _is_layer(stored):
        y = builder.add(name, "activation", _layer_config(layer, name, stored), y)
    elif name in _FUNCTIONS:
        y = builder.add_op("activation", "activation", y, function=name)
    else:
        raise _unsupported(layer, f"The activation {name!r} is not supported")
    arrays = moved_arrays(rewrite.arrays, layer.path, (*layer.path, inner_name))
    return rewrite.rewritten(builder.finish(y), "activation_apart", name, arrays=arrays)


def _is_layer(stored: Any) -> bool:
    return isinstance(stored, Mapping) and stored.get("class_name") not in ("function", None)


def _layer_config(layer: Layer, name: str, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    config = stored.get("config")
    if name not in WEIGHTLESS or not isinstance(config, Mapping):
        raise _unsupported(layer, f"The activation layer {name} is not supported")
    if name == "Activation" and activation_name(config.get("activation")) not in _SAME:
        raise _unsupported(layer, "An activation inside an activation is not supported")
    return _with_alpha(Layer(name, name, (), config)).config if name == "LeakyReLU" else config


def _unsupported(layer: Layer, message: str) -> MigrationError:
    return MigrationError(
        Reason.UNSUPPORTED_LAYER,
        message,
        layer=layer.path,
        advice="Save the model with another activation, or ask for support of this one.",
    )
