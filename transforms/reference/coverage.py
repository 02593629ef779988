"""Features without a rule in the reference, determined from the config alone."""

from __future__ import annotations

from collections.abc import Iterator

from transforms.architecture.dtype_policy import is_narrow
from transforms.architecture.graph import Graph, Layer
from transforms.records.runtime import Runtime
from transforms.reference.dialect import Dialect
from transforms.reference.evaluation import refuse_argument
from transforms.reference.layer_call import LayerCall, NotCovered
from transforms.reference.layers.activations import activation_of
from transforms.reference.registry import dialect_of

#: Classes that graphs and wrappers handle.
_PARTS = frozenset({"InputLayer", "StackedRNNCells"})


def uncovered(graph: Graph, runtime: Runtime) -> list[str]:
    """Features of a model without a rule in the reference, one line each; empty if the reference is expected to run.

    Masks depend on the inputs and are checked only when it runs.
    """
    dialect = dialect_of(graph, runtime)
    return [str(missing) for layer in graph.walk() for missing in _missing(layer, dialect, runtime)]


def _missing(layer: Layer, dialect: Dialect, runtime: Runtime) -> Iterator[NotCovered]:
    classes = _PARTS | dialect.stateless.keys() | dialect.structured.keys() | dialect.cells.keys()
    if layer.graph is None and layer.class_name not in classes:
        yield NotCovered(f"the layer class {layer.class_name}", layer.path)
        return
    call = LayerCall(layer.class_name, layer.config, {}, (), (), runtime, layer.path)
    for option in ("activation", "recurrent_activation", "inner_activation"):
        try:
            activation_of(layer.config.get(option), call)
        except NotCovered as missing:
            yield missing
    for arguments in (made.kwargs for made in layer.calls):
        for name, value in arguments.items():
            try:
                refuse_argument(name, value, layer.path, dialect.arguments)
            except NotCovered as missing:
                yield missing
    if layer.class_name.endswith("Cell") and "activation" not in layer.config:
        yield NotCovered(f"a {layer.class_name} saved without its activation", layer.path)
    if is_narrow(layer.config):
        yield NotCovered("half precision", layer.path)
