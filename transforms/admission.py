"""Which stored layers may be built at all: an allowlist of exact names, checked on the config as data.

Nothing here imports, builds, unmarshals or evaluates what a file names. A class outside the list is reported, with
every other missing one, before any array is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from transforms.architecture import MODEL_CLASSES, Graph, Layer, LayerPath, evaluation_order
from transforms.architecture_keras_3 import KERAS_3_ACTIVATIONS, KERAS_3_CLASSES
from transforms.architecture_parsing import WRAPPED_KEYS
from transforms.architecture_signatures import FUNCTION_CLASSES
from transforms.custom.names import is_custom
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.runtime import Family, Runtime
from transforms.weight_roles import WEIGHTED, WEIGHTLESS
from transforms.weight_roles_keras_1 import KERAS_1_WEIGHTED, KERAS_1_WEIGHTLESS

WRAPPERS = frozenset({*WRAPPED_KEYS, "StackedRNNCells"})

#: Layer classes this program knows the meaning of.
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
_KERAS_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "builtins")

#: Config keys that name an activation function.
ACTIVATION_KEYS = ("activation", "recurrent_activation", "inner_activation")


def admit(graph: Graph, runtime: Runtime, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuses a graph that holds what this program does not know or will not run.

    Args:
        graph: the outermost graph.
        runtime: which Keras wrote it: a class that this Keras did not have is custom, whatever its name.
        limits: the budget.

    Raises:
        MigrationError: `unsafe_lambda`, `unsafe_op`, `unsafe_storage`, `unsupported_layer`,
            `custom_objects_needed` (with all missing names), `over_budget`, `invalid_config` (cycles).
    """
    layers = list(graph.walk())
    if len(layers) > limits.layers:
        raise MigrationError(
            Reason.OVER_BUDGET, f"The model has {len(layers):,} layers, more than the limit layers={limits.layers:,}"
        )
    missing: dict[str, LayerPath] = {}
    for layer in layers:
        _refuse_unsafe(layer)
        _refuse_expansion(layer, limits)
        _refuse_unsupported(layer, runtime)
        for name in _foreign_names(layer, runtime):
            missing.setdefault(name, layer.path)
    if missing:
        listing = ", ".join(f"{name} (layer {'/'.join(path)})" for name, path in missing.items())
        raise MigrationError(
            Reason.CUSTOM_OBJECTS_NEEDED,
            f"The model uses code that the file lacks: {listing[:600]}",
            advice="Give it in the manifest's `custom_objects` column and pass --allow-custom-code.",
        )
    _refuse_cycles(graph)
    expanded = _expanded_calls(graph, limits.expanded_calls)
    if expanded > limits.expanded_calls:
        raise MigrationError(
            Reason.OVER_BUDGET,
            f"Shared sub-models expand to more layer calls than the limit expanded_calls={limits.expanded_calls:,}",
        )


def _refuse_unsafe(layer: Layer) -> None:
    if layer.class_name == "Merge" and layer.config.get("mode_type", "raw") != "raw":
        raise MigrationError(
            Reason.UNSAFE_LAMBDA,
            "The Merge layer stores Python bytecode as its mode, which is never run",
            layer=layer.path,
            advice="Rebuild the model with a standard merge layer in its place.",
        )
    if layer.class_name == "Lambda":
        function = layer.config.get("function")
        kind = layer.config.get("function_type")
        if isinstance(function, str) and kind == "function":
            return  # a name, not code: reported among the custom objects
        raise MigrationError(
            Reason.UNSAFE_LAMBDA,
            "The Lambda layer stores Python bytecode, which is never run",
            layer=layer.path,
            advice="Rebuild the model with a standard layer or a named custom layer in its place.",
        )
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


def _refuse_expansion(layer: Layer, limits: Limits) -> None:
    """A config of a few bytes must not ask for gigabytes of copies."""
    for option in ("n", "size", "length", "padding"):
        pending = [layer.config.get(option)] if layer.class_name in WEIGHTLESS else []
        while pending:
            value = pending.pop()
            if isinstance(value, list):
                pending.extend(value)
            elif isinstance(value, int) and value > limits.expansion:
                raise MigrationError(
                    Reason.OVER_BUDGET,
                    f"{layer.class_name} has {option}={value:,}, more than the limit expansion={limits.expansion:,}",
                    layer=layer.path,
                )


#: Keras classes that this program does not migrate.
_UNSUPPORTED = frozenset(
    """
    CategoryCrossing StringLookup TextVectorization RandomCrop SpectralNormalization DenseFeatures
    ParametricSoftplus SReLU MaxoutDense Highway Merge NotEqual
    """.split()
)


def _refuse_unsupported(layer: Layer, runtime: Runtime) -> None:
    if layer.class_name in _UNSUPPORTED and layer.class_name not in _known_classes(runtime):
        raise MigrationError(
            Reason.UNSUPPORTED_LAYER,
            f"The class {layer.class_name} is not supported",
            layer=layer.path,
            advice="Rebuild the model with other layers in its place, or ask for support of this class.",
        )


def is_foreign(layer: Layer, runtime: Runtime) -> bool:
    """True for a layer whose class the Keras that wrote it did not have."""
    return layer.class_name not in _known_classes(runtime) or _only_shares_the_name(layer, runtime)


def _foreign_names(layer: Layer, runtime: Runtime) -> Iterator[str]:
    if is_custom(layer.class_name):
        return
    if layer.class_name == "Lambda":
        yield str(layer.config.get("function"))
    elif is_foreign(layer, runtime):
        yield layer.class_name
    for key in ACTIVATION_KEYS:
        value = layer.config.get(key)
        name = activation_name(value)
        admitted = name in _known_activations(runtime) or name in KNOWN_CLASSES or is_custom(name)
        if value is not None and not admitted:
            yield name or str(value)[:60]
    module = layer.config.get("module")
    if isinstance(module, str) and not module.startswith(_KERAS_MODULES):
        yield f"{module}.{layer.class_name}"


def _known_activations(runtime: Runtime) -> frozenset[str]:
    return KERAS_3_ACTIVATIONS if runtime.family is Family.KERAS_3 else KNOWN_ACTIVATIONS


def _known_classes(runtime: Runtime) -> frozenset[str]:
    if runtime.family is Family.KERAS_3:
        return KNOWN_CLASSES | KERAS_3_CLASSES
    if runtime.is_keras_1:
        return KNOWN_CLASSES | KERAS_1_WEIGHTED | KERAS_1_WEIGHTLESS
    return KNOWN_CLASSES | FUNCTION_CLASSES if runtime.family is Family.TF_KERAS else KNOWN_CLASSES


#: Classes that standalone Keras never had, with an option that the tf.keras class always stores.
_TF_KERAS_ONLY = {
    "Attention": "use_scale",
    "AdditiveAttention": "use_scale",
    "LayerNormalization": "epsilon",
    "GroupNormalization": "epsilon",
    "EinsumDense": "equation",
    "Rescaling": "scale",
    "UnitNormalization": "axis",
    "MultiHeadAttention": "num_heads",
    "Normalization": "axis",
    "Resizing": "height",
    "CenterCrop": "height",
    "CategoryEncoding": "output_mode",
    "IntegerLookup": "num_oov_indices",
    "Hashing": "num_bins",
}


def _only_shares_the_name(layer: Layer, runtime: Runtime) -> bool:
    option = _TF_KERAS_ONLY.get(layer.class_name)
    return option is not None and (runtime.family is Family.KERAS or option not in layer.config)


def activation_name(value: object) -> str:
    """The name in a stored activation: a plain name, or one of the serialised forms.

    `{"class_name": "LeakyReLU", "config": {...}}` gives the class name, Keras 2.13's
    `{"module": "builtins", "class_name": "function", "config": "relu"}` the function name; "" when neither.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        if value.get("class_name") == "function":
            return str(value.get("config"))
        return str(value.get("class_name") or "")
    return ""


def _refuse_cycles(graph: Graph) -> None:
    try:
        evaluation_order(graph)
    except ValueError as error:
        raise MigrationError(
            Reason.INVALID_CONFIG, f"The layers {error} feed each other in a circle", layer=graph.path
        ) from error
    for layer in graph.layers:
        if layer.graph is not None:
            _refuse_cycles(layer.graph)


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
