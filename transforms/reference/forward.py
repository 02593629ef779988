"""The forward pass of a whole model: its graph, nested models, layers called several times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from transforms.architecture import Call, Graph, Layer, LayerPath, TensorRef, call_tensors, evaluation_order
from transforms.reference.evaluator import Tensors
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered
from transforms.reference.layers import STATELESS, STRUCTURED
from transforms.reference.masking import any_mask, loses_mask, output_mask
from transforms.reference.writer import Writer, writer_of
from transforms.runtime import Family, Runtime

#: The original arrays of a leaf layer by role.
WeightsOf: TypeAlias = Callable[[LayerPath], Mapping[str, Array]]

#: Call arguments that make no difference to the outputs where they have these values.
_IDLE_ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "training": (False, 0, None),
    "mask": (None,),
    "initial_state": (None,),
    "constants": (None,),
    "return_attention_scores": (False, None),
    "use_causal_mask": (False, None),
    "attention_mask": (None,),
}

#: Inputs that MultiHeadAttention takes by name.
_NAMED_INPUTS = ("query", "value", "key")


def forward(graph: Graph, weights_of: WeightsOf, inputs: Sequence[Array], runtime: Runtime) -> list[Array]:
    """The outputs of a model in float64, as the runtime that wrote it would give them.

    Args:
        graph: the model as stored.
        weights_of: the original arrays of a leaf layer by role, in the layout of the file.
        inputs: one array for each input of the graph, in order, batch first.
        runtime: which Keras wrote the file.

    Returns:
        The outputs in the order of the graph.

    Raises:
        NotCovered: the reference has no rule for something in the model, or the file leaves open which rule holds.
    """
    refuse_runtime(runtime)
    if len(inputs) != len(graph.inputs):
        raise NotCovered(f"{len(inputs)} arrays for {len(graph.inputs)} inputs", graph.path)
    evaluation = _Evaluation(graph, weights_of, runtime)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        return list(evaluation.run_graph(graph, Tensors.unmasked(*map(_widened, inputs))).values)


def refuse_runtime(runtime: Runtime) -> None:
    """Raises NotCovered for generations of Keras whose configs the reference does not read."""
    if runtime.is_keras_1:
        raise NotCovered("models of Keras 1")
    if runtime.family is Family.KERAS_3:
        raise NotCovered("models of Keras 3")


def _widened(x: Array) -> Array:
    """Integers stay, so that ids do; everything else in float64."""
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.integer) else x.astype(np.float64)


class _Evaluation:
    """One forward pass. It is the `Evaluator` that structured layers are given."""

    def __init__(self, graph: Graph, weights_of: WeightsOf, runtime: Runtime) -> None:
        self.writer: Writer = writer_of(graph, runtime)
        self.fixed_batch = _has_fixed_batch(graph)
        self._runtime = runtime
        self._weights_of = weights_of
        self._weights: dict[LayerPath, Mapping[str, Array]] = {}
        self._orders: dict[LayerPath, list[tuple[Layer, int]]] = {}

    def run_graph(self, graph: Graph, inputs: Tensors) -> Tensors:
        """Evaluates what the outputs of a graph depend on, each call once."""
        results: dict[TensorRef, tuple[Array, Mask]] = {}
        for ref, value, mask in zip(graph.inputs, inputs.values, inputs.masks, strict=True):
            results[ref] = (value, mask)
        order = self._order(graph)
        for layer, index in order:
            call = layer.calls[index]
            result = self._run_call(graph, layer, call, _gathered(results, layer, call))
            for tensor, pair in enumerate(zip(result.values, result.masks, strict=True)):
                results[TensorRef(layer.name, index, tensor)] = pair
        outputs = [_found(results, ref, graph.path) for ref in graph.outputs]
        return Tensors(tuple(value for value, _ in outputs), tuple(mask for _, mask in outputs))

    def _order(self, graph: Graph) -> list[tuple[Layer, int]]:
        """The calls to run, in an order that works; found once for each nested model."""
        if graph.path not in self._orders:
            self._orders[graph.path] = _needed(graph)
        return self._orders[graph.path]

    def _run_call(self, graph: Graph, layer: Layer, call: Call, inputs: Tensors) -> Tensors:
        result = self.run(layer, inputs)
        if graph.path or self.writer.standalone is not None or not any_mask(inputs.masks):
            return result
        return self._as_left_by_1_13(graph, layer, call, result)

    def _as_left_by_1_13(self, graph: Graph, layer: Layer, call: Call, result: Tensors) -> Tensors:
        """tf.keras 1.13 in graph mode lets no mask leave a nested model, nor a layer that returns its input.

        There `_set_mask_metadata` of the outermost graph overwrites the mask of such a tensor with None.
        """
        if layer.graph is not None:
            lost = any_mask(result.masks) and self.writer.tells(
                lambda release: release <= (1, 13), "whether a mask leaves a nested model", layer.path
            )
        else:
            lost = loses_mask(self.layer_call(layer, Tensors(result.values, result.masks)), self.writer)
            if lost and sum(call.inputs[0] in c.inputs for other in graph.layers for c in other.calls) > 1:
                raise NotCovered("a tensor that loses its mask in tf.keras 1.13 and has other uses", layer.path)
        return Tensors.unmasked(*result.values) if lost else result

    def run(self, layer: Layer, inputs: Tensors) -> Tensors:
        """The outputs of any layer, with their masks."""
        if layer.graph is not None:
            return self._run_nested(layer, layer.graph, inputs)
        if layer.class_name in STRUCTURED:
            return STRUCTURED[layer.class_name](layer, inputs, self)
        if layer.class_name not in STATELESS:
            raise NotCovered(f"the layer class {layer.class_name}", layer.path)
        call = self.layer_call(layer, inputs)
        return Tensors((STATELESS[layer.class_name](call),), (output_mask(call, self.writer),))

    def _run_nested(self, layer: Layer, graph: Graph, inputs: Tensors) -> Tensors:
        """A model as a layer. Masks enter it, and leave it, since Keras 2.2.3; before, its input layers refused them."""
        if len(inputs.values) != len(graph.inputs):
            raise NotCovered(f"{len(inputs.values)} tensors for {len(graph.inputs)} inputs", layer.path)
        version = self.writer.standalone
        if version is not None and version < (2, 2, 3) and any_mask(inputs.masks):
            raise NotCovered("a mask on a nested model, which Keras before 2.2.3 refuses", layer.path)
        return self.run_graph(graph, inputs)

    def layer_call(self, layer: Layer, inputs: Tensors) -> LayerCall:
        """The call of a layer, with its weights in float64."""
        if layer.path not in self._weights:
            self._weights[layer.path] = {
                role: np.asarray(array, dtype=np.float64) for role, array in self._weights_of(layer.path).items()
            }
        return LayerCall(
            class_name=layer.class_name,
            config=layer.config,
            weights=self._weights[layer.path],
            inputs=inputs.values,
            masks=inputs.masks,
            runtime=self._runtime,
            path=layer.path,
        )


def _needed(graph: Graph) -> list[tuple[Layer, int]]:
    """The calls that the outputs depend on, each after those it depends on."""
    try:
        order = evaluation_order(graph)
    except ValueError as error:
        raise NotCovered(f"layers that depend on each other: {error}", graph.path) from error
    given = {(ref.layer, ref.call) for ref in graph.inputs}
    wanted = {(ref.layer, ref.call) for ref in graph.outputs}
    needed = []
    for layer, index in reversed(order):
        if (layer.name, index) in wanted and (layer.name, index) not in given:
            needed.append((layer, index))
            wanted.update((ref.layer, ref.call) for ref in call_tensors(layer.calls[index]))
    return needed[::-1]


def _gathered(results: Mapping[TensorRef, tuple[Array, Mask]], layer: Layer, call: Call) -> Tensors:
    """The inputs of a call: the positional tensors, then those that attention takes by name."""
    named = []
    for name in _NAMED_INPUTS:
        value = call.kwargs.get(name)
        if isinstance(value, TensorRef):
            named.append(value)
    for name, value in call.kwargs.items():
        refuse_argument(name, value, layer.path)
    found = [_found(results, ref, layer.path) for ref in (*call.inputs, *named)]
    return Tensors(tuple(value for value, _ in found), tuple(mask for _, mask in found))


def refuse_argument(name: str, value: object, path: LayerPath) -> None:
    """Raises NotCovered for a call argument that would change the outputs in a way the reference does not follow."""
    if name in _NAMED_INPUTS and isinstance(value, TensorRef):
        return
    if name not in _IDLE_ARGUMENTS or not any(value is idle or value == idle for idle in _IDLE_ARGUMENTS[name]):
        raise NotCovered(f"the call argument {name}={value!r}", path)


def _found(results: Mapping[TensorRef, tuple[Array, Mask]], ref: TensorRef, path: LayerPath) -> tuple[Array, Mask]:
    if ref not in results:
        raise NotCovered(f"output {ref.tensor} of call {ref.call} of {ref.layer!r}, which yields no such tensor", path)
    return results[ref]


def _has_fixed_batch(graph: Graph) -> bool:
    """True where an input layer of the outermost graph states the batch size."""
    for ref in graph.inputs:
        shape = graph.layer(ref.layer).config.get("batch_input_shape")
        if isinstance(shape, (list, tuple)) and shape and shape[0] is not None:
            return True
    return False
