"""Refuses models whose outputs depend on random numbers.

`training=True` stored with a call also applies at inference; it enables dropout, noise and batch statistics, in a
nested model for all layers inside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from transforms.architecture.custom_names import is_custom
from transforms.architecture.graph import Call, Graph, Layer, TensorRef, call_tensors, walk
from transforms.errors import MigrationError, Reason

#: Prefixes of the parts of a TensorFlow function's name, and of operation types.
_DRAWS = ("random", "truncated_normal", "dropout", "shuffle", "multinomial", "categorical", "stateless_random")
_OPERATIONS = ("Random", "StatelessRandom", "ParameterizedTruncated", "TruncatedNormal", "Multinomial")

#: Layers that draw random numbers in training: the options of which one must be above zero, none if they always draw.
_NOISE = {
    **dict.fromkeys(("Dropout", "AlphaDropout", "GaussianDropout"), ("rate", "p")),
    **dict.fromkeys(("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"), ("rate", "p")),
    "GaussianNoise": ("stddev", "sigma"),
    **dict.fromkeys(("Attention", "AdditiveAttention", "MultiHeadAttention"), ("dropout",)),
    **dict.fromkeys(
        """
        SimpleRNN LSTM GRU SimpleRNNCell LSTMCell GRUCell ConvLSTM1D ConvLSTM2D ConvLSTM3D ConvLSTM2DCell
        """.split(),
        ("dropout", "recurrent_dropout"),
    ),
    **dict.fromkeys(
        """
        RandomCrop RandomFlip RandomTranslation RandomRotation RandomZoom RandomHeight RandomWidth RandomContrast
        RandomBrightness
        """.split(),
        (),
    ),
}
_NORMALIZES_BY_BATCH = ("BatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization")


def refuse_random_outputs(graph: Graph) -> None:
    """Checks a graph that contains only what its outputs depend on, with functions as stored.

    Raises MigrationError: `random_outputs`, with every layer that draws and the outputs that do not depend on it;
    `unsupported_layer` for a layer that normalizes by the current batch.
    """
    drawn = list(_drawing(graph, False))
    if not drawn:
        return
    named = ", ".join(f"{'/'.join(layer.path)} ({what})" for layer, what in drawn[:_SHOWN])
    more = f" and {len(drawn) - _SHOWN} more" if len(drawn) > _SHOWN else ""
    free = _free_of(graph, {layer.path[0] for layer, _ in drawn})
    chosen = f" (free of it: {', '.join(free[:_SHOWN])})" if free else ""
    raise MigrationError(
        Reason.RANDOM_OUTPUTS,
        f"The model draws random numbers when it answers: {named}{more}",
        layer=drawn[0][0].path,
        advice=f"Name the layers whose outputs you want in column `outputs`{chosen}; or give code in `custom_objects` "
        "that does without.",
    )


def without_idle_training(graph: Graph) -> Graph:
    """The graph without `training=True` in calls of layers that ignore it."""

    def at_inference(call: Call) -> Call:
        return replace(call, kwargs={key: value for key, value in call.kwargs.items() if key != "training"})

    layers = (
        layer if _takes_its_own(layer) else replace(layer, calls=tuple(map(at_inference, layer.calls)))
        for layer in graph.layers
    )
    return replace(
        graph,
        layers=tuple(
            layer if layer.graph is None else replace(layer, graph=without_idle_training(layer.graph))
            for layer in layers
        ),
    )


_SHOWN = 4
_FUNCTIONS = frozenset({"Lambda", "TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"})


def _takes_its_own(layer: Layer) -> bool:
    """True for a layer with custom code, whose use of the argument is unknown."""
    return is_custom(layer.class_name) or layer.class_name in _FUNCTIONS


def _drawing(graph: Graph, training: bool) -> Iterator[tuple[Layer, str]]:
    """Each layer that draws random numbers, with a description."""
    for layer in graph.layers:
        given = [call.kwargs.get("training") for call in layer.calls]
        # A call's own flag overrides that of the enclosing model.
        trains = any(_is_on(flag) if flag is not None else training for flag in given or [None])
        if layer.graph is not None:
            yield from _drawing(layer.graph, trains)
            continue
        for inner in walk(layer):
            what = _function(inner) or (_noise(inner) if trains else "")
            if what:
                yield inner, what
            if trains and inner.class_name in _NORMALIZES_BY_BATCH:
                raise _normalizes_by_batch(inner)


def _is_on(flag: object) -> bool:
    return flag is True or flag == 1


def _function(layer: Layer) -> str:
    """The description of a function or operation that draws, else ""."""
    if layer.class_name == "TFOpLambda":
        name = str(layer.config.get("function"))
        return f"tf.{name}" if any(part.startswith(_DRAWS) for part in name.split(".")) else ""
    if layer.class_name == "TensorFlowOpLayer":
        node = layer.config.get("node_def")
        kind = str(node.get("op")) if isinstance(node, dict) else ""
        return f"the operation {kind}" if kind.startswith(_OPERATIONS) else ""
    return ""


def _noise(layer: Layer) -> str:
    options = _NOISE.get(layer.class_name)
    if options is None:
        return ""
    rates = [layer.config.get(option) for option in options]
    strong = any(isinstance(rate, (int, float)) and rate > 0 for rate in rates)
    return f"{layer.class_name} called with training=True" if strong or not options else ""


def _normalizes_by_batch(layer: Layer) -> MigrationError:
    return MigrationError(
        Reason.UNSUPPORTED_LAYER,
        f"The {layer.class_name} is called with training=True: it normalizes by the batch it is given, so that answers "
        "depend on what else is asked",
        layer=layer.path,
        advice="Save the model with training=False in that call, or give custom code in its place.",
    )


def _free_of(graph: Graph, drawing: set[str]) -> list[str]:
    """Layers whose outputs could be requested instead: outputs of the model, else the inputs of drawing layers."""
    layers = {layer.name: layer for layer in graph.layers}

    def draws(ref: TensorRef) -> bool:
        pending = [ref]
        seen: set[tuple[str, int]] = set()
        while pending:
            current = pending.pop()
            if current.layer in drawing:
                return True
            key = (current.layer, current.call)
            layer = layers[current.layer]
            if key not in seen and current.call < len(layer.calls):
                seen.add(key)
                pending.extend(call_tensors(layer.calls[current.call]))
        return False

    own = [ref.layer for ref in graph.outputs if not draws(ref)]
    in_front = [
        ref.layer
        for layer in graph.layers
        for call in layer.calls
        if layer.name not in own and draws(TensorRef(layer.name))
        for ref in call_tensors(call)
        if not draws(ref) and layers[ref.layer].calls
    ]
    return list(dict.fromkeys(own or in_front))
