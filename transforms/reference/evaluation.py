"""One forward pass of a model, layer by layer, with nested models, layers called several times, and masks."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from transforms.architecture.dtype_policy import is_narrow
from transforms.architecture.graph import Call, Graph, Layer, LayerPath, TensorRef, call_tensors, evaluation_order, walk
from transforms.legacy.release import Writer
from transforms.records.runtime import Runtime
from transforms.reference.custom_rules import CustomRules
from transforms.reference.dialect import Tensors
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered, Refused
from transforms.reference.layer_weights import OriginalWeights
from transforms.reference.masks.propagation import any_mask
from transforms.reference.masks.tf_1_13 import (
    is_nested_sequential,
    mask_lost_in_outer_graph,
    sequential_input_masks,
    sequential_output_masks,
)
from transforms.reference.registry import dialect_of

#: Pauses after every layer; returns the outputs at the end.
Steps: TypeAlias = Generator[None, None, Tensors]

#: Call arguments that do not affect the outputs with these values.
_IDLE_ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "training": (False, 0, None),
    "mask": (None,),
    "initial_state": (None,),
    "constants": (None,),
}


class Evaluation:
    """One forward pass; the `Evaluator` of structured layers.

    Args:
        graph: the model as stored.
        weights: of its layers, possibly shared with passes over other batches.
        runtime: the Keras that wrote the file.
        writer: the release assumed to have written it.
        custom: reference rules of custom code.
    """

    def __init__(
        self, graph: Graph, weights: OriginalWeights, runtime: Runtime, writer: Writer, custom: CustomRules | None
    ) -> None:
        self._custom = custom or CustomRules()
        self.writer = writer
        self._dialect = dialect_of(graph, runtime)
        self.cells = self._dialect.cells
        self.fixed_batch = _has_fixed_batch(graph)
        self._runtime = runtime
        self._weights = weights
        self._stateful: set[LayerPath] = set()
        self._orders: dict[LayerPath, list[tuple[Layer, int]]] = {}

    def steps(self, graph: Graph, inputs: Tensors, depth: int = 0) -> Steps:
        """Evaluates what the outputs of a graph depend on, each call once, and pauses after each layer.

        Args:
            graph: the graph.
            inputs: in the order of the graph's inputs.
            depth: number of models around the graph.
        """
        results: dict[TensorRef, tuple[Array, Mask]] = {}
        for ref, value, mask in zip(graph.inputs, inputs.values, inputs.masks, strict=True):
            results[ref] = (value, mask)
        at_the_top = self.writer.standalone is None and depth == 0
        own_loop = depth > 0 and is_nested_sequential(graph, depth, self.writer)
        for layer, index in self._order(graph):
            given = self._gathered(results, layer, layer.calls[index])
            if own_loop:
                given = sequential_input_masks(layer, given, self.writer)
            result = yield from self._layer_steps(layer, given, depth)
            if at_the_top and mask_lost_in_outer_graph(graph, layer, given, result, self.writer):
                result = Tensors.unmasked(*result.values)
            elif own_loop:
                result = sequential_output_masks(self.layer_call(layer, given), result, self.writer)
            for tensor, pair in enumerate(zip(result.values, result.masks, strict=True)):
                results[TensorRef(layer.name, index, tensor)] = pair
            yield
        outputs = [_found(results, ref, graph.path) for ref in graph.outputs]
        return Tensors(tuple(value for value, _ in outputs), tuple(mask for _, mask in outputs))

    def _gathered(self, results: Mapping[TensorRef, tuple[Array, Mask]], layer: Layer, call: Call) -> Tensors:
        """The inputs of a call, with their masks, or those that the call names."""
        for name, value in call.kwargs.items():
            refuse_argument(name, value, layer.path, self._dialect.arguments)
        found = [_found(results, ref, layer.path) for ref in call.inputs]
        masks = [mask for _, mask in found]
        given = call.kwargs.get("mask")
        for index, ref in enumerate(given if isinstance(given, list) else [given]):
            if isinstance(ref, TensorRef):
                masks[index] = _found(results, ref, layer.path)[0].astype(bool)
        return Tensors(tuple(value for value, _ in found), tuple(masks))

    def _order(self, graph: Graph) -> list[tuple[Layer, int]]:
        """The calls to run, in a valid order; computed once for each nested model."""
        if graph.path not in self._orders:
            self._orders[graph.path] = _needed(graph)
        return self._orders[graph.path]

    def run(self, layer: Layer, inputs: Tensors) -> Tensors:
        """The outputs of a layer inside another one, with their masks."""
        return _finished(self._layer_steps(layer, inputs, 0))

    def _layer_steps(self, layer: Layer, inputs: Tensors, depth: int) -> Steps:
        """The outputs of any layer of a graph at a depth; pauses inside nested models only."""
        if is_narrow(layer.config):
            raise NotCovered("half precision", layer.path)
        if layer.graph is not None:
            result = yield from self._nested_steps(layer, layer.graph, inputs, depth + 1)
        elif self._custom.knows(layer.class_name, layer.config):
            result = self._run_custom(layer, inputs)
        elif layer.class_name in self._dialect.structured:
            self._refuse_carried_state(layer)
            result = self._dialect.structured[layer.class_name](layer, inputs, self)
        elif layer.class_name in self._dialect.stateless:
            result = self._run_stateless(layer, inputs)
        else:
            raise NotCovered(f"the layer class {layer.class_name}", layer.path)
        refuse_overflow(result.values, layer.path)
        return self._rounded(result)

    def _rounded(self, result: Tensors) -> Tensors:
        """What a layer puts out, floats in the precision of this pass."""
        precision = self._weights.precision
        if precision == np.float64:
            return result
        values = (x.astype(precision) if x.dtype == np.float64 else x for x in result.values)
        return Tensors(tuple(values), result.masks)

    def _refuse_carried_state(self, layer: Layer) -> None:
        """Refuses stateful layers called several times: TensorFlow 2 carries their states from one call to the next,
        also within a request.
        """
        if self.writer.standalone is not None or not any(each.config.get("stateful", False) for each in walk(layer)):
            return
        if layer.path in self._stateful and self.writer.agree_on(
            lambda release: release >= (2, 0), "whether a stateful layer called twice carries its states", layer.path
        ):
            raise NotCovered("a stateful layer called several times, whose states are carried along", layer.path)
        self._stateful.add(layer.path)

    def _run_stateless(self, layer: Layer, inputs: Tensors) -> Tensors:
        call = self.layer_call(layer, inputs)
        mask = self._dialect.output_mask(call, self.writer)
        if layer.class_name not in self._dialect.looks_at_masks:
            call = self.layer_call(layer, Tensors.unmasked(*inputs.values))
        return Tensors((self._dialect.stateless[layer.class_name](call),), (mask,))

    def _run_custom(self, layer: Layer, inputs: Tensors) -> Tensors:
        if any_mask(inputs.masks):
            raise NotCovered("a mask on a custom layer", layer.path)
        weights = self.layer_call(layer, inputs).weights
        outputs = self._custom.run(layer.class_name, layer.config, inputs.values, weights, layer.path)
        return Tensors.unmasked(*outputs)

    def _nested_steps(self, layer: Layer, graph: Graph, inputs: Tensors, depth: int) -> Steps:
        """A nested model. Masks enter and leave it since Keras 2.2.3; before, its input layers refused them."""
        if len(inputs.values) != len(graph.inputs):
            raise NotCovered(f"{len(inputs.values)} tensors for {len(graph.inputs)} inputs", layer.path)
        version = self.writer.standalone
        if version is not None and version < (2, 2, 3) and any_mask(inputs.masks):
            raise Refused("a mask on a nested model, which Keras before 2.2.3 refuses", layer.path)
        return (yield from self.steps(graph, inputs, depth))

    def layer_call(self, layer: Layer, inputs: Tensors) -> LayerCall:
        """The call of a layer, with its weights."""
        call = LayerCall(
            class_name=layer.class_name,
            config=layer.config,
            weights=self._weights.of(layer.path),
            inputs=inputs.values,
            masks=inputs.masks,
            runtime=self._runtime,
            path=layer.path,
            functions=self._custom.functions,
        )
        return self._dialect.read(call)


def _finished(steps: Steps) -> Tensors:
    """Runs to the end, without pauses between layers."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Tensors = end.value
            return result


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


def refuse_argument(name: str, value: object, path: LayerPath, followed: frozenset[str] = frozenset()) -> None:
    """Raises NotCovered for a call argument whose effect on the outputs the reference does not implement."""
    if name in followed:
        return
    if name not in _IDLE_ARGUMENTS or not any(value is idle or value == idle for idle in _IDLE_ARGUMENTS[name]):
        raise NotCovered(f"the call argument {name}={value!r}", path)


def _found(results: Mapping[TensorRef, tuple[Array, Mask]], ref: TensorRef, path: LayerPath) -> tuple[Array, Mask]:
    if ref not in results:
        raise NotCovered(f"output {ref.tensor} of call {ref.call} of {ref.layer!r}, which yields no such tensor", path)
    return results[ref]


def _has_fixed_batch(graph: Graph) -> bool:
    """True if an input layer of the outermost graph states the batch size."""
    for ref in graph.inputs:
        shape = graph.layer(ref.layer).config.get("batch_input_shape")
        if isinstance(shape, (list, tuple)) and shape and shape[0] is not None:
            return True
    return False


_FLOAT32_MAX = float(np.finfo(np.float32).max)


def refuse_overflow(values: Sequence[Array], path: LayerPath) -> None:
    """Raises NotCovered if finite numbers exceed the range of float32. Infinities are also infinite in float32."""
    for value in values:
        if value.dtype.kind == "S":
            continue
        sizes = np.abs(value)
        if bool((np.isfinite(sizes) & (sizes > _FLOAT32_MAX)).any()):
            raise NotCovered("numbers beyond the range of float32", path)
