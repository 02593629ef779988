"""Converts a Keras 3 graph so that every mask is a tensor and every layer that reads one takes it as an argument.

Keras 3 and tf-keras propagate masks by different rules. So none is propagated: each mask becomes a tensor beside the
values, computed by a function (`counted_steps`, `not_zero`, ...) and passed by name to the layers that read it. Masks
enter and leave a nested model as further inputs and outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from transforms.architecture.graph import Call, Graph, Layer, TensorRef, evaluation_order
from transforms.canonical.keras_3.mask_rules import MaskedCall, MaskRef, rule_of
from transforms.canonical.subgraph import TENSOR_OP
from transforms.errors import MigrationError, Reason
from transforms.records.outcome import Rewrite
from transforms.records.runtime import Runtime

#: Layers of several inputs whose masks releases of Keras 3 before this one handled differently.
_MERGES_SINCE = (3, 7)
_MERGES = frozenset(
    "Add Subtract Multiply Average Maximum Minimum Concatenate Attention AdditiveAttention MultiHeadAttention".split()
)


def with_named_masks(graph: Graph, runtime: Runtime) -> tuple[Graph, tuple[Rewrite, ...]]:
    """The graph with its masks as tensors, and the rewrites made.

    Raises MigrationError `unsupported_layer` if a mask reaches a layer without a known rule.
    """
    naming = _Naming(runtime)
    named, _ = naming.graph(graph, [False] * len(graph.inputs))
    return named, tuple(naming.rewrites)


class _Naming:
    """Names the masks of one model."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.rewrites: list[Rewrite] = []

    def graph(self, graph: Graph, masked_inputs: Sequence[bool]) -> tuple[Graph, list[MaskRef]]:
        """Converts a graph, some of whose inputs have masks, which become further inputs. Also returns the masks of its
        outputs.
        """
        masks: dict[TensorRef, TensorRef] = {}
        unmasked: dict[TensorRef, TensorRef] = {}
        layers = {layer.name: layer for layer in graph.layers}
        calls: dict[str, dict[int, Call]] = {}
        added: list[Layer] = []
        inputs = list(graph.inputs)
        for ref, masked in zip(graph.inputs, masked_inputs, strict=True):
            if masked:
                name = f"{ref.layer}_mask"
                config = {"name": name, "batch_input_shape": None, "dtype": None}
                added.append(Layer("InputLayer", name, (*graph.path, name), config))
                masks[ref] = TensorRef(name)
                inputs.append(TensorRef(name))
        for layer, index in evaluation_order(graph):
            at = self._call(graph, layer, index, masks, unmasked)
            changed, call = self._nested(at) if layer.graph is not None else self._rule(at)
            self._note(at, changed, call)
            settled = layers[layer.name] if calls.get(layer.name) else None
            if settled is not None and replace(settled, calls=()) != replace(changed, calls=()):
                raise at.refuse("A layer that is called with a mask and without one is not supported")
            layers[layer.name] = changed
            calls.setdefault(layer.name, {})[index] = call
            for tensor, mask in at.outputs.items():
                masks[TensorRef(layer.name, index, tensor)] = mask
            for tensor in at.unmask:
                ref = TensorRef(layer.name, index, tensor)
                unmasked[ref] = at.add("identity", f"values_{tensor}", ref)
            added.extend(at.added)
        kept = [
            replace(layer, calls=tuple(made for _, made in sorted(calls.get(layer.name, {}).items())))
            for layer in layers.values()
        ]
        _refuse_clashes([*kept, *added], graph)
        outputs = graph.outputs if not graph.path else tuple(unmasked.get(ref, ref) for ref in graph.outputs)
        result = replace(graph, layers=(*kept, *added), inputs=tuple(inputs), outputs=outputs)
        return result, [masks.get(ref) for ref in graph.outputs]

    def _call(
        self,
        graph: Graph,
        layer: Layer,
        index: int,
        masks: dict[TensorRef, TensorRef],
        unmasked: dict[TensorRef, TensorRef],
    ) -> MaskedCall:
        call = layer.calls[index]
        given = call.kwargs.get("mask")
        of_inputs: list[MaskRef] = [masks.get(ref) for ref in call.inputs]
        for position, ref in enumerate(given if isinstance(given, list) else [given]):
            if isinstance(ref, TensorRef):
                of_inputs[position] = ref
        kwargs = {key: value for key, value in call.kwargs.items() if key != "mask"}
        values = tuple(unmasked.get(ref, ref) for ref in call.inputs)
        return MaskedCall(layer, index, Call(values, kwargs), of_inputs, given is not None, graph.path)

    def _rule(self, at: MaskedCall) -> tuple[Layer, Call]:
        if any(at.masks) and at.layer.class_name in _MERGES and self._runtime.version < _MERGES_SINCE:
            raise at.refuse(f"A mask on {at.layer.class_name} of Keras before 3.7 is not supported")
        layer, call = rule_of(at.layer.class_name)(at)
        return replace(layer, slots={slot: self._inside(inner) for slot, inner in layer.slots.items()}), call

    def _inside(self, layer: Layer) -> Layer:
        """Converts a layer inside a wrapper: no mask enters or leaves it."""
        if layer.graph is not None:
            graph, _ = self.graph(layer.graph, [False] * len(layer.graph.inputs))
            return replace(layer, graph=graph)
        config = {**layer.config, "mask_zero": False} if layer.config.get("mask_zero") else layer.config
        return replace(layer, config=config, slots={slot: self._inside(inner) for slot, inner in layer.slots.items()})

    def _nested(self, at: MaskedCall) -> tuple[Layer, Call]:
        assert at.layer.graph is not None
        graph, masks = self.graph(at.layer.graph, [mask is not None for mask in at.masks])
        outputs = list(graph.outputs)
        for tensor, mask in enumerate(masks):
            if mask is not None:
                at.outputs[tensor] = TensorRef(at.layer.name, at.index, len(outputs))
                outputs.append(mask)
        layer = replace(at.layer, graph=replace(graph, outputs=tuple(outputs)))
        return layer, replace(at.call, inputs=(*at.call.inputs, *(mask for mask in at.masks if mask is not None)))

    def _note(self, at: MaskedCall, layer: Layer, call: Call) -> None:
        if layer.class_name == TENSOR_OP or "mask" in call.kwargs:
            note = Rewrite("/".join(at.layer.path), "keras_3_masks", at.layer.class_name)
            if note not in self.rewrites:
                self.rewrites.append(note)


def _refuse_clashes(layers: Sequence[Layer], graph: Graph) -> None:
    names = [layer.name for layer in layers]
    if len(set(names)) != len(names):
        clash = next(name for name in names if names.count(name) > 1)
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER, f"The name {clash!r} is needed for a mask", layer=graph.path, advice="Rename it."
        )
