"""Builds a tf-keras functional model from a canonical graph and assigns its variables by role."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf
import tf_keras

from transforms.architecture.attention import MULTI_HEAD
from transforms.architecture.custom_names import is_custom, uses_custom_code
from transforms.architecture.graph import Graph, Layer, LayerPath, TensorRef, evaluation_order
from transforms.architecture.signature_names import input_names, output_names
from transforms.canonical.model import CanonicalModel
from transforms.canonical.rewrites.stored_functions import BY_MASK
from transforms.canonical.subgraph import TENSOR_OP
from transforms.custom.code import CustomCode, failure
from transforms.errors import MigrationError, Reason
from transforms.rebuild.layer_calls import call_attention, normalize_in_plain_operations, read_statistics
from transforms.rebuild.layers import build_layer
from transforms.rebuild.tensor_ops import TENSOR_OPS
from transforms.rebuild.tracing import shape_only_rnn, shared_stack_trace
from transforms.rebuild.variables import assign_arrays, bounded_variables

#: Layers that always take a list of tensors, even of one.
_LIST_INPUTS = frozenset({"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"})


@dataclass(frozen=True)
class RebuiltModel:
    """A tf-keras model that holds the canonical weights.

    Attributes:
        keras_model: functional model over symbolic inputs.
        input_names, output_names: in graph order, after the model's input and output layers; in an input's name,
            characters that TensorFlow does not allow in an argument are `_`.
        variables: the variable of each canonical array, by layer path and role.
        layers: the Keras layers by canonical path.
    """

    keras_model: Any
    input_names: tuple[str, ...]
    output_names: tuple[str, ...]
    variables: Mapping[tuple[LayerPath, str], Any]
    layers: Mapping[LayerPath, Any]

    def run(self, inputs: Sequence[Any]) -> list[Any]:
        """Outputs of the Keras model itself, in order, as NumPy arrays."""
        fed = [tf.cast(tf.constant(x), tensor.dtype) for x, tensor in zip(inputs, self.keras_model.inputs, strict=True)]
        outputs = self.keras_model(fed[0] if len(fed) == 1 else fed, training=False)
        return [value.numpy() for value in tf.nest.flatten(outputs)]


def rebuild(model: CanonicalModel, custom: CustomCode | None = None) -> RebuiltModel:
    """Builds the tf-keras model, with the operator's code where layers are marked, and assigns every canonical array.

    Raises:
        MigrationError: `unsupported_layer`, `invalid_config`, `weights_mismatch`, `nonfinite_weights`,
            `custom_objects_needed`.
    """
    tf_keras.backend.clear_session()  # names must not depend on what was built before
    builder = _ModelBuilder(model.floatx, custom)
    stored = sum(math.prod(array.shape) for held in model.arrays.values() for array in held.values())
    with (
        shared_stack_trace(),
        shape_only_rnn(),
        bounded_variables(stored) if custom is None else contextlib.nullcontext(),
    ):
        keras_model = builder.model(model.graph, ())
    for layer in builder.layers.values():
        normalize_in_plain_operations(layer)
    variables = assign_arrays(builder.layers, model.arrays, keras_model)
    return RebuiltModel(
        keras_model,
        input_names=input_names(model.graph),
        output_names=output_names(model.graph),
        variables=variables,
        layers=builder.layers,
    )


class _ModelBuilder:
    """Builds tf-keras models from graphs and records the layer object of each path."""

    def __init__(self, dtype: str, custom: CustomCode | None) -> None:
        self._dtype = dtype
        self._custom = custom
        self.layers: dict[LayerPath, Any] = {}
        self._functions: dict[tuple[LayerPath, tuple[tuple[int, bool], ...]], Any] = {}

    def model(self, graph: Graph, incoming: Sequence[Any]) -> Any:
        """A functional model; `incoming` are the specs of inputs for which the graph states none."""
        scopes = _ScopeNames()
        tensors: dict[TensorRef, Any] = {}
        inputs = []
        for index, ref in enumerate(graph.inputs):
            spec = incoming[index] if index < len(incoming) else None
            tensor = self._input(graph.layer(ref.layer), spec, scopes)
            tensors[ref] = tensor
            inputs.append(tensor)
        for layer, call_index in evaluation_order(graph):
            outputs = self._call(layer, call_index, tensors, scopes)
            for index, tensor in enumerate(outputs):
                tensors[TensorRef(layer.name, call_index, index)] = tensor
        outputs = [self._tensor(tensors, ref, graph.path) for ref in graph.outputs]
        try:
            return tf_keras.Model(
                inputs[0] if len(inputs) == 1 else inputs,
                outputs[0] if len(outputs) == 1 else outputs,
                name=_scope_name(graph.name),
            )
        except (TypeError, ValueError) as error:
            raise _rejected("the model", graph.path, error) from error

    def _input(self, layer: Layer, spec: Any, scopes: _ScopeNames) -> Any:
        shape = layer.config.get("batch_input_shape", layer.config.get("batch_shape"))
        dtype = layer.config.get("dtype")
        if shape is None:
            if spec is None:
                raise MigrationError(
                    Reason.INVALID_CONFIG,
                    "The model does not state the shape of its input",
                    layer=layer.path,
                    advice="Build the model on data of the right shape before saving it.",
                )
            shape, dtype = spec.shape, spec.dtype
        if not isinstance(dtype, (str, tf.DType)):
            dtype = self._dtype
        return tf_keras.Input(batch_shape=tuple(shape), dtype=dtype, name=scopes.claim(layer.name))

    def _call(self, layer: Layer, call_index: int, tensors: Mapping[TensorRef, Any], scopes: _ScopeNames) -> list[Any]:
        call = layer.calls[call_index]
        arguments = [self._tensor(tensors, ref, layer.path) for ref in call.inputs]
        unknown = set(call.kwargs) - {"initial_state", "mask", "training"}
        if (unknown and not is_custom(layer.class_name)) or call.kwargs.get("training"):
            raise MigrationError(
                Reason.UNSUPPORTED_LAYER, f"The layer is called with {sorted(call.kwargs)}", layer=layer.path
            )
        kwargs = {key: self._argument(value, tensors, layer.path) for key, value in call.kwargs.items() if value}
        try:
            result = self._apply(layer, arguments, kwargs, scopes)
        except Exception as error:
            if isinstance(error, MigrationError):
                raise
            if uses_custom_code(layer):
                raise failure("The custom code", error, layer.path) from error
            if isinstance(error, tf.errors.ResourceExhaustedError):
                raise MemoryError(str(error.message)[:200]) from error
            if isinstance(error, (TypeError, ValueError, NotImplementedError, IndexError)):
                raise _rejected(layer.class_name, layer.path, error) from error
            raise
        return list(tf.nest.flatten(result))

    def _apply(self, layer: Layer, arguments: list[Any], kwargs: Mapping[str, Any], scopes: _ScopeNames) -> Any:
        if layer.class_name == TENSOR_OP:
            return TENSOR_OPS[layer.config["op"]](*arguments, **layer.config["options"])
        keras_layer = self._called(layer, arguments, scopes)
        one = len(arguments) == 1 and layer.class_name not in _LIST_INPUTS
        x = arguments[0] if one else arguments
        if layer.class_name == MULTI_HEAD:
            return call_attention(keras_layer, layer.config, arguments)
        if layer.class_name == "BatchNormalization" and _runs_channels_first(layer, x):
            return _between_transpositions(keras_layer, x)
        if self._custom is not None and uses_custom_code(layer):
            with self._custom.scope():
                return keras_layer(x, **kwargs)
        outputs = keras_layer(x, **kwargs)
        if layer.class_name == "Normalization":
            read_statistics(keras_layer, x)
        return outputs

    def _called(self, layer: Layer, arguments: list[Any], scopes: _ScopeNames) -> Any:
        """The layer object of a call. A function has one for each rank and mask of its inputs: it holds no weights."""
        if not _is_function(layer):
            if layer.path not in self.layers:
                self.layers[layer.path] = self._layer(layer, arguments, scopes.claim(layer.name))
            return self.layers[layer.path]
        key = layer.path, tuple((x.shape.rank, _has_mask(x)) for x in arguments)
        if key not in self._functions:
            self._functions[key] = self._layer(layer, arguments, scopes.claim(layer.name))
            self.layers.setdefault(layer.path, self._functions[key])
        return self._functions[key]

    def _layer(self, layer: Layer, incoming: Sequence[Any], name: str) -> Any:
        if layer.class_name == BY_MASK:
            masked = "".join(str(int(_has_mask(x))) for x in incoming)
            if masked not in layer.slots:
                raise MigrationError(
                    Reason.UNSUPPORTED_LAYER,
                    "The Lambda's function does not apply to inputs masked like this",
                    layer=layer.path,
                )
            return self._layer(layer.slots[masked], incoming, name)
        if layer.graph is not None:
            again = _is_function(layer) and name != _scope_name(layer.name)  # its form for other inputs
            return self.model(replace(layer.graph, name=name) if again else layer.graph, incoming)
        slots = {}
        for slot, inner in layer.slots.items():
            specs = [_per_step(tensor) for tensor in incoming] if layer.class_name == "TimeDistributed" else incoming
            slots[slot] = self._layer(inner, specs, _scope_name(inner.name or slot))
        keras_layer = build_layer(layer, name, self._dtype, slots, self._custom)
        for slot, inner in layer.slots.items():
            self._register(inner, _held(keras_layer, layer.class_name, slot))
        return keras_layer

    def _register(self, layer: Layer, keras_layer: Any) -> None:
        self.layers[layer.path] = keras_layer
        for slot, inner in layer.slots.items():
            self._register(inner, _held(keras_layer, layer.class_name, slot))

    @staticmethod
    def _tensor(tensors: Mapping[TensorRef, Any], ref: TensorRef, path: LayerPath) -> Any:
        if ref not in tensors:
            raise MigrationError(
                Reason.INVALID_CONFIG, f"The layer {ref.layer!r} has no output {ref.tensor}", layer=path
            )
        return tensors[ref]

    def _argument(self, value: Any, tensors: Mapping[TensorRef, Any], path: LayerPath) -> Any:
        if isinstance(value, list):
            return [self._argument(item, tensors, path) for item in value]
        return self._tensor(tensors, value, path) if isinstance(value, TensorRef) else value


def _is_function(layer: Layer) -> bool:
    """Whether a layer is a translated function: operations on its inputs alone."""
    if layer.class_name == BY_MASK:
        return True
    return layer.graph is not None and all(inner.class_name == TENSOR_OP for inner in layer.graph.layers if inner.calls)


def _has_mask(x: Any) -> bool:
    return getattr(x, "_keras_mask", None) is not None


def _held(wrapper: Any, class_name: str, slot: str) -> Any:
    """The layer object in a slot. Bidirectional copies the layers that it receives."""
    if class_name == "Bidirectional":
        return wrapper.forward_layer if slot == "forward" else wrapper.backward_layer
    if class_name == "StackedRNNCells":
        return wrapper.cells[int(slot)]
    return wrapper.layer if class_name == "TimeDistributed" else wrapper.cell


def _per_step(tensor: Any) -> tf.TensorSpec:
    """The inputs of the layer inside TimeDistributed: without the time axis."""
    return tf.TensorSpec((tensor.shape[0], *tensor.shape[2:]), tensor.dtype)


def _runs_channels_first(layer: Layer, x: Any) -> bool:
    return layer.config.get("axis") == 1 and x.shape.rank in (4, 5)


def _between_transpositions(keras_layer: Any, x: Any) -> Any:
    """Transposes around a layer: tf-keras would choose a fused kernel that only GPUs have; on the last axis every
    device has one.
    """
    rank = x.shape.rank
    keras_layer.axis = [rank - 1]
    last = tf_keras.layers.Permute((*range(2, rank), 1))(x)
    return tf_keras.layers.Permute((rank - 1, *range(1, rank - 1)))(keras_layer(last))


def _rejected(what: str, path: LayerPath, error: Exception) -> MigrationError:
    return MigrationError(
        Reason.INVALID_CONFIG, f"tf-keras rejects {what}: {' '.join(str(error).split())[:300]}", layer=path
    )


class _ScopeNames:
    """Layer names that TensorFlow accepts as scopes, unique within one graph."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def claim(self, name: str) -> str:
        scope = _scope_name(name)
        candidate, number = scope, 1
        while candidate in self._taken:
            candidate, number = f"{scope}_{number}", number + 1
        self._taken.add(candidate)
        return candidate


def _scope_name(name: str) -> str:
    scope = re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name)
    return scope if re.match(r"[A-Za-z0-9.]", scope) else f"layer{scope}"
