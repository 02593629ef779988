"""The forward pass of a whole model: its graph, nested models, layers called several times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from transforms.architecture import Call, Graph, Layer, LayerPath, TensorRef, call_tensors, evaluation_order, walk
from transforms.architecture_precision import is_narrow
from transforms.reference.custom_rules import CustomRules
from transforms.reference.evaluator import Tensors
from transforms.reference.layer_call import Array, LayerCall, Mask, NotCovered
from transforms.reference.layers import dialect_of
from transforms.reference.masking import any_mask
from transforms.reference.masks_of_1_13 import has_its_own_loop, left_in_its_loop, lost_at_the_top, seen_in_its_loop
from transforms.reference.precision import refuse_overflow
from transforms.reference.writer import Refused, Undecided, Writer, writer_of
from transforms.runtime import Runtime

#: The original arrays of a leaf layer by role.
WeightsOf: TypeAlias = Callable[[LayerPath], Mapping[str, Array]]

#: Call arguments that make no difference to the outputs where they have these values.
_IDLE_ARGUMENTS: Mapping[str, tuple[object, ...]] = {
    "training": (False, 0, None),
    "mask": (None,),
    "initial_state": (None,),
    "constants": (None,),
}


def forward(
    graph: Graph,
    weights_of: WeightsOf,
    inputs: Sequence[Array],
    runtime: Runtime,
    custom: CustomRules | None = None,
) -> list[Array]:
    """The outputs of a model in float64, as the runtime that wrote it would give them.

    Args:
        graph: the model as stored.
        weights_of: the original arrays of a leaf layer by role, in the layout of the file.
        inputs: one array for each input of the graph, in order, batch first.
        runtime: which Keras wrote the file.
        custom: what custom code says of its own layers.

    Returns:
        The outputs in the order of the graph.

    Raises:
        NotCovered: the reference has no rule for something in the model, or the file leaves open which rule holds.
    """
    if len(inputs) != len(graph.inputs):
        raise NotCovered(f"{len(inputs)} arrays for {len(graph.inputs)} inputs", graph.path)
    given = Tensors.unmasked(*map(_widened, inputs))
    writer = writer_of(graph, runtime)
    with np.errstate(over="ignore", under="ignore", invalid="ignore", divide="ignore"):
        try:
            return _outputs(_Evaluation(graph, weights_of, runtime, writer, custom), graph, given)
        except (Undecided, Refused) as open_question:
            evaluations = [_Evaluation(graph, weights_of, runtime, each, custom) for each in writer.candidates()]
            return _agreed(evaluations, graph, given, open_question)


def _outputs(evaluation: _Evaluation, graph: Graph, inputs: Tensors) -> list[Array]:
    return list(evaluation.run_graph(graph, inputs).values)


def _agreed(evaluations: list[_Evaluation], graph: Graph, inputs: Tensors, question: NotCovered) -> list[Array]:
    """What all releases give that may have written the file and accept the model. Raises `question` if they differ."""
    answers: list[list[Array]] = []
    for evaluation in evaluations:
        try:
            answers.append(_outputs(evaluation, graph, inputs))
        except Refused:
            continue
    if not answers or not all(_equal(answers[0], answer) for answer in answers[1:]):
        raise question
    return answers[0]


def _equal(first: list[Array], second: list[Array]) -> bool:
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
        for a, b in zip(first, second, strict=True)
    )


def _widened(x: Array) -> Array:
    """Integers stay, so that ids do; everything else in float64."""
    x = np.asarray(x)
    return x if np.issubdtype(x.dtype, np.integer) else x.astype(np.float64)


class _Evaluation:
    """One forward pass. It is the `Evaluator` that structured layers are given."""

    def __init__(
        self, graph: Graph, weights_of: WeightsOf, runtime: Runtime, writer: Writer, custom: CustomRules | None
    ) -> None:
        self._custom = custom or CustomRules()
        self.writer = writer
        self._dialect = dialect_of(graph, runtime)
        self.cells = self._dialect.cells
        self.fixed_batch = _has_fixed_batch(graph)
        self._runtime = runtime
        self._weights_of = weights_of
        self._weights: dict[LayerPath, Mapping[str, Array]] = {}
        self._stateful: set[LayerPath] = set()
        self._orders: dict[LayerPath, list[tuple[Layer, int]]] = {}

    def run_graph(self, graph: Graph, inputs: Tensors, depth: int = 0) -> Tensors:
        """Evaluates what the outputs of a graph depend on, each call once.

        Args:
            graph: the graph.
            inputs: in the order of the graph's inputs.
            depth: how many models the graph is inside of.
        """
        results: dict[TensorRef, tuple[Array, Mask]] = {}
        for ref, value, mask in zip(graph.inputs, inputs.values, inputs.masks, strict=True):
            results[ref] = (value, mask)
        run_layer = self._rule_for_layers_of(graph, depth)
        for layer, index in self._order(graph):
            result = run_layer(layer, self._gathered(results, layer, layer.calls[index]), depth)
            for tensor, pair in enumerate(zip(result.values, result.masks, strict=True)):
                results[TensorRef(layer.name, index, tensor)] = pair
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
        """The calls to run, in an order that works; found once for each nested model."""
        if graph.path not in self._orders:
            self._orders[graph.path] = _needed(graph)
        return self._orders[graph.path]

    def _rule_for_layers_of(self, graph: Graph, depth: int) -> Callable[[Layer, Tensors, int], Tensors]:
        """How layers of a graph are run: as they say, but for what tf.keras 1.13 makes of masks."""
        writer = self.writer

        def at_the_top(layer: Layer, inputs: Tensors, depth: int) -> Tensors:
            result = self.run(layer, inputs, depth)
            return _unmasked_if(lost_at_the_top(graph, layer, inputs, result, writer), result)

        def in_its_own_loop(layer: Layer, inputs: Tensors, depth: int) -> Tensors:
            inputs = seen_in_its_loop(layer, inputs, writer)
            return left_in_its_loop(self.layer_call(layer, inputs), self.run(layer, inputs, depth), writer)

        if writer.standalone is not None:
            return self.run
        if depth == 0:
            return at_the_top
        return in_its_own_loop if has_its_own_loop(graph, depth, writer) else self.run

    def run(self, layer: Layer, inputs: Tensors, depth: int = 0) -> Tensors:
        """The outputs of any layer of a graph at a depth, with their masks."""
        if is_narrow(layer.config):
            raise NotCovered("half precision", layer.path)
        if layer.graph is not None:
            result = self._run_nested(layer, layer.graph, inputs, depth + 1)
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
        return result

    def _refuse_carried_state(self, layer: Layer) -> None:
        """TensorFlow 2 carries the states of a stateful layer from one call to the next within a request too."""
        if self.writer.standalone is not None or not any(each.config.get("stateful", False) for each in walk(layer)):
            return
        if layer.path in self._stateful and self.writer.tells(
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

    def _run_nested(self, layer: Layer, graph: Graph, inputs: Tensors, depth: int) -> Tensors:
        """A model as a layer. Masks enter and leave it since Keras 2.2.3; before, its input layers refused them."""
        if len(inputs.values) != len(graph.inputs):
            raise NotCovered(f"{len(inputs.values)} tensors for {len(graph.inputs)} inputs", layer.path)
        version = self.writer.standalone
        if version is not None and version < (2, 2, 3) and any_mask(inputs.masks):
            raise Refused("a mask on a nested model, which Keras before 2.2.3 refuses", layer.path)
        return self.run_graph(graph, inputs, depth)

    def layer_call(self, layer: Layer, inputs: Tensors) -> LayerCall:
        """The call of a layer, with its weights in float64."""
        if layer.path not in self._weights:
            self._weights[layer.path] = {
                role: np.asarray(array, dtype=np.float64) for role, array in self._weights_of(layer.path).items()
            }
        call = LayerCall(
            class_name=layer.class_name,
            config=layer.config,
            weights=self._weights[layer.path],
            inputs=inputs.values,
            masks=inputs.masks,
            runtime=self._runtime,
            path=layer.path,
            functions=self._custom.functions,
        )
        return self._dialect.read(call)


def _unmasked_if(lost: bool, tensors: Tensors) -> Tensors:
    return Tensors.unmasked(*tensors.values) if lost else tensors


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
    """Raises NotCovered for a call argument that would change the outputs in a way the reference does not follow."""
    if name in followed:
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
