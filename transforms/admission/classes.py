"""The allowlist of layer classes: exact names, checked on the config as data.

Nothing here imports, builds, unmarshals or evaluates what a file names. All classes outside the list are reported
together, before any array is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from transforms.admission.option_types import check_options
from transforms.admission.tensor_sizes import check_sizes
from transforms.architecture.config_values import ACTIVATION_LAYERS, activation_name, is_of_keras
from transforms.architecture.custom_names import is_custom
from transforms.architecture.function_signatures import FUNCTION_CLASSES
from transforms.architecture.graph import MODEL_CLASSES, Graph, Layer, evaluation_order
from transforms.architecture.keras_3 import KERAS_3_ACTIVATIONS, KERAS_3_CLASSES
from transforms.architecture.parsing import WRAPPED_KEYS
from transforms.errors import MigrationError, Reason, together
from transforms.lambda_functions.stored_function import name_alone
from transforms.layer_specs.registry import WEIGHTED, WEIGHTLESS
from transforms.limits import DEFAULT_LIMITS, Limits, over_budget
from transforms.records.runtime import Family, Runtime
from transforms.releases.ownership import (
    is_looked_up,
    is_stored_by_keras,
    releases_that_store,
    releases_with_activation,
    why_foreign,
)
from transforms.weights.roles_keras_1 import KERAS_1_WEIGHTED, KERAS_1_WEIGHTLESS

WRAPPERS = frozenset({*WRAPPED_KEYS, "StackedRNNCells"})

#: Supported layer classes.
KNOWN_CLASSES = frozenset({*WEIGHTLESS, *WEIGHTED, *WRAPPERS, *MODEL_CLASSES})

#: Activation functions by their stored name.
KNOWN_ACTIVATIONS = frozenset(
    """
    linear relu relu6 sigmoid hard_sigmoid tanh softmax softplus softsign elu selu exponential swish silu gelu
    """.split()
)

_UNSAFE = {
    "TFOpLambda": "calls a TensorFlow function by its stored name",
    "SlicingOpLambda": "calls a TensorFlow function by its stored name",
    "ClassMethod": "calls a method by its stored name",
    "InstanceMethod": "calls a method by its stored name",
    "InstanceProperty": "reads a property by its stored name",
    "TensorFlowOpLayer": "holds a stored TensorFlow operation",
    "TFSMLayer": "loads another SavedModel",
    "TorchModuleWrapper": "holds pickled PyTorch code",
}

#: Config keys that name an activation function.
ACTIVATION_KEYS = ("activation", "recurrent_activation", "inner_activation")


def admit(graph: Graph, runtime: Runtime, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuses a graph with unsupported or unsafe content.

    Args:
        graph: the outermost graph.
        runtime: the Keras that wrote it; a class that this Keras did not have is custom, whatever its name.
        limits: the budget.

    Raises:
        MigrationError: `unsafe_lambda`, `unsafe_op`, `unsafe_storage`, `unsupported_layer`,
            `custom_objects_needed` (with all missing names), `over_budget`, `invalid_config` (cycles).
    """
    layers = list(graph.walk())
    if len(layers) > limits.layers:
        raise over_budget(f"The model has {len(layers):,} layers", "layers", limits)
    complete = is_stored_by_keras(graph)
    missing: dict[str, str] = {}
    obstacles: list[MigrationError] = []
    for layer in layers:
        try:
            _refuse_unsafe(layer)
            _refuse_unsupported(layer, runtime, complete)
        except MigrationError as obstacle:
            obstacles.append(obstacle)
            continue
        for name, why in _foreign_names(layer, runtime, complete):
            missing.setdefault(name, f"layer {'/'.join(layer.path)}{': ' if why else ''}{why}")
    if missing:
        listing = ", ".join(f"{name} ({why})" for name, why in missing.items())
        obstacles.append(
            MigrationError(
                Reason.CUSTOM_OBJECTS_NEEDED,
                f"The model uses code that the file lacks: {listing[:600]}",
                advice="Give it in the manifest's `custom_objects` column and pass --allow-custom-code.",
            )
        )
    if obstacles:
        raise together(obstacles)
    for layer in layers:
        if not is_custom(layer.class_name):
            check_options(layer)
    _refuse_cycles(graph)
    _refuse_disconnected(graph)
    expanded = _expanded_calls(graph, limits.expanded_calls)
    if expanded > limits.expanded_calls:
        raise over_budget("Shared sub-models expand to many layer calls", "expanded_calls", limits)
    check_sizes(graph, limits)


def _refuse_unsafe(layer: Layer) -> None:
    if layer.class_name in _UNSAFE:
        storage = layer.class_name in ("TFSMLayer", "TorchModuleWrapper")
        raise MigrationError(
            Reason.UNSAFE_STORAGE if storage else Reason.UNSAFE_OP,
            f"The class {layer.class_name} {_UNSAFE[layer.class_name]}",
            layer=layer.path,
            advice="Rebuild the model with standard layers.",
        )
    for key in ("vocabulary", "vocabulary_file"):
        if isinstance(layer.config.get(key), str):
            raise MigrationError(
                Reason.UNSAFE_STORAGE,
                "The layer reads its vocabulary from a file",
                layer=layer.path,
                advice="Save the model with the vocabulary inline.",
            )


#: Keras's own classes that are not supported, and why.
UNSUPPORTED: Mapping[str, str] = {
    "CategoryCrossing": "tf-keras has no such layer any more",
    "DenseFeatures": "its feature columns are objects outside of Keras",
    "NotEqual": "it is an operation of Keras 3, which no earlier release has",
    "PeepholeLSTMCell": "tf-keras has no such cell any more",
    "RandomFourierFeatures": "the reference has no rule for it",
    "TextVectorization": "the reference has no rules for cleaning and splitting text",
}


def _refuse_unsupported(layer: Layer, runtime: Runtime, complete: bool) -> None:
    keras_own = layer.class_name in UNSUPPORTED or (is_looked_up(layer, runtime) and not is_custom(layer.class_name))
    if runtime.family is Family.KERAS_3:
        keras_own = keras_own or _has_module_of_keras(layer)
    unknown = layer.class_name not in _known_classes(runtime) and layer.class_name != "Lambda"
    if keras_own and unknown and not _is_somebody_elses(layer, runtime, complete):
        why = UNSUPPORTED.get(layer.class_name)
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"The class {layer.class_name} is not supported{f': {why}' if why else ''}",
            layer=layer.path,
            advice="Rebuild the model with other layers in its place, or ask for support of this class.",
        )


def _has_module_of_keras(layer: Layer) -> bool:
    """True if a layer of Keras 3 names a module of Keras, where its class is."""
    module = layer.config.get("module")
    return isinstance(module, str) and is_of_keras(module)


def is_foreign(layer: Layer, runtime: Runtime, complete: bool = True) -> bool:
    """True if the Keras that wrote the layer did not have its class, or not with these options.

    Args:
        layer: as stored.
        runtime: the Keras that wrote the file.
        complete: whether Keras itself stored the config (see `is_stored_by_keras`).
    """
    return layer.class_name not in _known_classes(runtime) or _is_somebody_elses(layer, runtime, complete)


def _is_somebody_elses(layer: Layer, runtime: Runtime, complete: bool) -> bool:
    if not is_looked_up(layer, runtime):
        return _only_shares_the_name(layer)
    return not releases_that_store(layer, runtime, complete)


def _foreign_names(layer: Layer, runtime: Runtime, complete: bool) -> Iterator[tuple[str, str]]:
    """Names that are not Keras's own, each with the reason if one is known."""
    if is_custom(layer.class_name):
        return
    if layer.class_name == "Lambda":
        if name := name_alone(layer.config):
            yield name, ""
    elif is_foreign(layer, runtime, complete):
        yield layer.class_name, why_foreign(layer, runtime) if is_looked_up(layer, runtime) else ""
    for key in ACTIVATION_KEYS:
        value = layer.config.get(key)
        name = activation_name(value)
        admitted = name in known_activations(runtime) or name in ACTIVATION_LAYERS or is_custom(name)
        if value is not None and not admitted:
            yield name or str(value)[:60], ""
    module = layer.config.get("module")
    if isinstance(module, str) and not is_of_keras(module) and layer.class_name != "Lambda":
        yield f"{module}.{layer.class_name}", ""


def known_activations(runtime: Runtime) -> frozenset[str]:
    """The supported activations of the releases that may have written the file."""
    if runtime.family is Family.KERAS_3:
        return KERAS_3_ACTIVATIONS
    return frozenset(name for name in (*KNOWN_ACTIVATIONS, "mish") if releases_with_activation(name, runtime))


def _known_classes(runtime: Runtime) -> frozenset[str]:
    if runtime.family is Family.KERAS_3:
        return KNOWN_CLASSES | KERAS_3_CLASSES
    if runtime.is_keras_1:
        return KNOWN_CLASSES | KERAS_1_WEIGHTED | KERAS_1_WEIGHTLESS
    return KNOWN_CLASSES | FUNCTION_CLASSES if runtime.family is Family.TF_KERAS else KNOWN_CLASSES


#: An option that a class of Keras 3 always stores.
_ALWAYS_STORED = {
    "Attention": "use_scale",
    "AdditiveAttention": "use_scale",
    "LayerNormalization": "epsilon",
    "GroupNormalization": "epsilon",
    "EinsumDense": "equation",
    "Rescaling": "scale",
    "UnitNormalization": "axis",
    "Identity": "trainable",
    "MultiHeadAttention": "num_heads",
    "Normalization": "axis",
    "Resizing": "height",
    "CenterCrop": "height",
    "CategoryEncoding": "output_mode",
    "IntegerLookup": "num_oov_indices",
    "Hashing": "num_bins",
}


def _only_shares_the_name(layer: Layer) -> bool:
    option = _ALWAYS_STORED.get(layer.class_name)
    return option is not None and option not in layer.config


def _refuse_cycles(graph: Graph) -> None:
    try:
        evaluation_order(graph)
    except ValueError as error:
        raise MigrationError(Reason.INVALID_CONFIG, f"The layers {error} form a cycle", layer=graph.path) from error
    for layer in graph.layers:
        if layer.graph is not None:
            _refuse_cycles(layer.graph)


def _refuse_disconnected(graph: Graph) -> None:
    """Checks that every layer but the model's own inputs is called on a tensor."""
    entries = {ref.layer for ref in graph.inputs}
    if not graph.inputs or not graph.outputs:
        raise MigrationError(Reason.INVALID_CONFIG, "The model has no inputs, or no outputs", layer=graph.path)
    for layer in graph.layers:
        if layer.name not in entries and not layer.calls:
            raise MigrationError(
                Reason.INVALID_CONFIG, "The layer is called on nothing, and is no input of the model", layer=layer.path
            )
        if any(not call.inputs for call in layer.calls) and layer.class_name != "InputLayer":
            raise MigrationError(Reason.INVALID_CONFIG, "The layer is called without an input", layer=layer.path)
        if layer.graph is not None:
            _refuse_disconnected(layer.graph)


def _expanded_calls(graph: Graph, limit: int) -> int:
    total = 0
    for layer in graph.layers:
        inner = _inner_graph(layer)
        each = 1 if inner is None else 1 + _expanded_calls(inner, limit)
        total += max(1, len(layer.calls)) * each
        if total > limit:
            return total
    return total


def _inner_graph(layer: Layer) -> Graph | None:
    if layer.graph is not None:
        return layer.graph
    for slot in layer.slots.values():
        found = _inner_graph(slot)
        if found is not None:
            return found
    return None
