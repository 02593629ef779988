"""Features of Keras 3 configs besides layers: operations, positional arguments, quantized weights.

`model.save("x.h5")` of Keras 3 stores operations (`ops.not_equal(ids, 0)`) among the layers, with the class name of the
operation and constants among its arguments. `Concatenate` is a layer and an operation: a layer's config has
`trainable`, an operation's has not (`Layer.get_config` in keras/src/layers/layer.py, `Operation.get_config` in
keras/src/ops/operation.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from transforms.architecture.calls import POSITIONAL, refs_among
from transforms.architecture.graph import Call, Graph, Layer, TensorRef
from transforms.errors import MigrationError, Reason
from transforms.records.runtime import Runtime

#: Prefix of the class name of an operation, to distinguish it from the layer of that name.
OPERATION = "ops."

#: Config key of an operation's arguments: numbers, `{"input": index}` for tensors, lists of these.
OPERANDS = "operands"

#: Variables with the state of random generators or stateful layers, which are not weights.
STATES_OF_KERAS_3 = frozenset({"seed_generator_state", "rnn_state"})

#: Supported operations.
OPERATIONS = frozenset(
    """
    Add Subtract Multiply Divide TrueDivide NotEqual LogicalAnd LogicalOr LogicalNot Any All ExpandDims Squeeze
    ZerosLike OnesLike Concatenate Relu Sigmoid Tanh Exp Square Sqrt Negative Absolute Mean Sum Max Min
    ConvertToTensor
    """.split()
)

#: Classes of Keras 3 that Keras 2 lacks.
KERAS_3_CLASSES = frozenset(OPERATION + name for name in OPERATIONS)

#: Supported activation functions of Keras 3, by their stored name.
KERAS_3_ACTIVATIONS = frozenset(
    """
    linear relu relu6 sigmoid hard_sigmoid tanh softmax softplus softsign elu selu exponential swish silu gelu
    leaky_relu log_softmax mish hard_silu hard_swish hard_tanh celu log_sigmoid squareplus tanh_shrink
    """.split()
)

#: Activation functions of Keras 3 that are refused by name.
_OTHER_ACTIVATIONS = frozenset(
    {"glu", "hard_shrink", "soft_shrink", "sparse_plus", "sparse_sigmoid", "sparsemax", "threshold"}
)

#: Layers of Keras 3 that are refused by name.
_OTHER_CLASSES = frozenset(
    """
    RMSNormalization GroupQueryAttention ReversibleEmbedding AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D MelSpectrogram
    STFTSpectrogram Pipeline HashedCrossing JaxLayer FlaxLayer AugMix AutoContrast CutMix Equalization
    MaxNumBoundingBoxes MixUp Solarization RandAugment RandomApply RandomColorDegeneration RandomColorJitter
    RandomElasticTransform RandomErasing RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective
    RandomPosterization RandomSaturation RandomSharpness RandomShear DepthwiseConv3D RandomCrop SpectralNormalization
    """.split()
)

#: Layers whose config lacks `trainable` (`BaseSpatialDropout.get_config`).
_BARE_LAYERS = frozenset({"InputLayer", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"})

_TAKES_STATES = frozenset(
    {"SimpleRNN", "LSTM", "GRU", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"}
)


def keras_3_graph(graph: Graph) -> Graph:
    """The graph, with operations marked and positional arguments assigned to their parameters.

    Raises MigrationError `unsupported_layer` for unknown options and classes of Keras 3.
    """
    return replace(graph, layers=tuple(_layer(layer) for layer in graph.layers))


def _layer(layer: Layer) -> Layer:
    if layer.graph is not None:
        _refuse_further_arguments(layer)
        return replace(layer, graph=keras_3_graph(layer.graph))
    if layer.class_name not in _BARE_LAYERS and layer.calls and "trainable" not in layer.config:
        return _operation(layer)
    _refuse_unknown(layer)
    calls = tuple(_with_named_states(layer, _at_inference(call)) for call in layer.calls)
    slots = {slot: _layer(inner) for slot, inner in layer.slots.items()}
    layer = replace(layer, calls=calls, slots=slots)
    _refuse_further_arguments(layer)
    return layer


def _at_inference(call: Call) -> Call:
    """The `training` of the model's call overrides a stored one (`operation_fn` in keras/src/models/functional.py)."""
    return replace(call, kwargs={key: value for key, value in call.kwargs.items() if key != "training"})


def _operation(layer: Layer) -> Layer:
    if layer.class_name not in OPERATIONS:
        raise _unsupported(layer, f"The operation {layer.class_name} is not supported")
    if len(layer.calls) != 1:
        raise _unsupported(layer, "An operation called several times is not supported")
    (call,) = layer.calls
    numbers = iter(range(len(call.inputs)))
    operands = _operands(call.kwargs.get(POSITIONAL, list(call.inputs)), numbers)
    options = {key: value for key, value in call.kwargs.items() if key != POSITIONAL}
    if any(refs_among(options.values())):
        raise _unsupported(layer, f"The operation {layer.class_name} takes tensors by name, which is not supported")
    config = {**layer.config, **options, OPERANDS: operands}
    return replace(layer, class_name=OPERATION + layer.class_name, config=config, calls=(Call(call.inputs),))


def _operands(value: object, numbers: Iterator[int]) -> object:
    """The arguments of an operation, with each tensor as its number among the call's inputs."""
    if isinstance(value, list):
        return [_operands(item, numbers) for item in value]
    return {"input": next(numbers)} if isinstance(value, TensorRef) else value


def _with_named_states(layer: Layer, call: Call) -> Call:
    """The second positional argument of a recurrent layer is its initial states (`RNN.call`)."""
    stored = call.kwargs.get(POSITIONAL)
    if stored is None or layer.class_name not in _TAKES_STATES:
        return call
    if not isinstance(stored, Sequence) or any(value is not None for value in stored[2:]):
        raise _unsupported(layer, "A recurrent layer called with more than inputs and states is not supported")
    return replace(call, kwargs={key: value for key, value in call.kwargs.items() if key != POSITIONAL})


def _refuse_further_arguments(layer: Layer) -> None:
    if layer.class_name != "MultiHeadAttention" and any(POSITIONAL in call.kwargs for call in layer.calls):
        raise _unsupported(layer, f"The {layer.class_name} is called with several positional arguments")


def _refuse_unknown(layer: Layer) -> None:
    config = layer.config
    if layer.class_name in _OTHER_CLASSES:
        raise _unsupported(layer, f"The class {layer.class_name} is not supported")
    if config.get("renorm"):
        raise _unsupported(layer, "BatchNormalization with renorm is not supported")
    if config.get("rms_scaling"):
        raise _unsupported(layer, "LayerNormalization with rms_scaling is not supported")
    if config.get("lora_rank") or config.get("lora_enabled"):
        raise _unsupported(layer, "Low-rank adapters (lora_rank) are not supported")
    if config.get("quantization_config") or _policy(config) not in ("", "DTypePolicy"):
        raise _unsupported(layer, "Quantized layers are not supported")
    if config.get("score_mode", "dot") != "dot":
        raise _unsupported(layer, f"Attention with score_mode {config['score_mode']!r} is not supported")
    if config.get("interpolation", "nearest") not in ("nearest", "bilinear"):
        raise _unsupported(layer, f"The interpolation {config['interpolation']!r} is not supported")
    for key in ("activation", "recurrent_activation"):
        name = config.get(key)
        if isinstance(name, str) and name in _OTHER_ACTIVATIONS:
            raise _unsupported(layer, f"The activation {name!r} is not supported")


def _policy(config: Mapping[str, Any]) -> str:
    dtype = config.get("dtype")
    return str(dtype.get("class_name")) if isinstance(dtype, Mapping) else ""


def _unsupported(layer: Layer, message: str) -> MigrationError:
    return MigrationError(
        Reason.UNSUPPORTED_LAYER,
        message,
        layer=layer.path,
        advice="Rebuild the model with other layers in its place, or ask for support of this one.",
    )


def refuse_later_keras(runtime: Runtime) -> None:
    """Raises MigrationError `unsupported_dialect` for a Keras later than the known ones."""
    if runtime.version >= (4,):
        raise MigrationError(
            Reason.UNSUPPORTED_DIALECT,
            f"The file was written by Keras {runtime.recorded}, which this version does not read",
            advice="Wait for a version that reads it.",
        )


def keras_3_assumptions(runtime: Runtime) -> tuple[str, ...]:
    """The assumptions for a file of Keras 3, for the report."""
    if runtime.backend in ("", "tensorflow"):
        return ()
    return (f"Written by Keras 3 on {runtime.backend}: read as Keras 3 on TensorFlow runs it.",)
