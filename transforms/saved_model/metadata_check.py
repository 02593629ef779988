"""Checks `keras_metadata.pb`, from which `tf_keras.models.load_model` builds layers, optimizers and functions.

Whoever loads a published model so builds what is named there: a Lambda's bytecode would be run, a `module` imported, a
function of TensorFlow called by its name, a vocabulary read from a local file. Only what this program writes is
accepted: classes and modules of Keras itself, functions of the lists, values in place of files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from transforms.architecture.function_signatures import FUNCTIONS
from transforms.lambda_functions.listed_functions import LISTED
from transforms.records.runtime import Family
from transforms.releases.table import family_facts
from transforms.saved_model.file_names import METADATA
from transforms.saved_model.unsafe_graph import shown, unsafe

_MOST_BYTES = 256 << 20
_MOST_DEEP = 200
_KINDS = frozenset(f"_tf_keras_{kind}" for kind in ("layer", "input_layer", "network", "sequential", "model"))
_NODES = _KINDS | {"_tf_keras_rnn_layer", "_tf_keras_metric"}

#: Classes besides layers, by their names in configs.
_CLASSES = frozenset(
    """
    ConvLSTMCell Functional Sequential Model TFOpLambda SlicingOpLambda ClassMethod InstanceMethod InstanceProperty
    TensorShape TypeSpec InputSpec Policy __tuple__ __ellipsis__ CompositeTensor
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity LecunNormal LecunUniform Ones Orthogonal
    RandomNormal RandomUniform TruncatedNormal VarianceScaling Zeros
    L1 L2 L1L2 OrthogonalRegularizer MaxNorm MinMaxNorm NonNeg RadialConstraint UnitNorm
    Adadelta Adafactor Adagrad Adam AdamW Adamax Ftrl Lion Nadam RMSprop SGD
    CosineDecay CosineDecayRestarts ExponentialDecay InverseTimeDecay PiecewiseConstantDecay PolynomialDecay
    BinaryCrossentropy BinaryFocalCrossentropy CategoricalCrossentropy CategoricalFocalCrossentropy CategoricalHinge
    CosineSimilarity Hinge Huber KLDivergence LogCosh MeanAbsoluteError MeanAbsolutePercentageError MeanSquaredError
    MeanSquaredLogarithmicError Poisson SparseCategoricalCrossentropy SquaredHinge
    AUC Accuracy BinaryAccuracy BinaryIoU CategoricalAccuracy F1Score FBetaScore FalseNegatives FalsePositives IoU
    LogCoshError Mean MeanIoU MeanMetricWrapper MeanRelativeError MeanTensor OneHotIoU OneHotMeanIoU Precision
    PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity
    SparseCategoricalAccuracy SparseTopKCategoricalAccuracy SpecificityAtSensitivity Sum TopKCategoricalAccuracy
    TrueNegatives TruePositives
    """.split()
)
_MODULES = frozenset(
    f"keras.{name}"
    for name in "initializers layers regularizers constraints activations losses metrics optimizers".split()
)
_CUSTOM_MODULE = "h5ferry_custom_code"

#: Namespaces of TensorFlow whose functions only compute.
_PURE = frozenset({"__operators__", "bitwise", "image", "linalg", "math", "nn", "signal"})

#: Further functions that this program writes.
_WRITTEN = frozenset({"compat.v1.norm", "keras.backend.batch_flatten", "keras.backend.binary_crossentropy"})

#: Namespaces and functions that reach beyond their arguments, refused with custom code too.
_ACTING = frozenset(
    """
    config data debugging distribute dtensor experimental feature_column graph_util io load_library load_op_library
    lookup mlir numpy_function print profiler py_func py_function queue raw_ops saved_model summary sysconfig test
    tpu train types version xla autograph keras lite gfile python_io resource_loader app flags layers
    """.split()
)

#: Options that may name a file to be read.
_FILES = frozenset({"vocabulary", "idf_weights", "vocabulary_file", "filename", "asset"})


def check_metadata(saved_model: Path, *, custom_code: bool = False, checked: set[str] | None = None) -> None:
    """Refuses a `keras_metadata.pb` from which loading would do more than build standard layers.

    Args:
        saved_model: the folder of the artefact.
        custom_code: whether the operator's code was used; its own classes and Lambdas are then named, and are found by
            whoever passes them to the loader.
        checked: contents that were accepted before, which are not read again; this one is added. Models of one
            architecture share theirs.

    Raises:
        MigrationError: `unsafe_op`.
    """
    stored = _content(saved_model / METADATA)
    key = f"{hashlib.sha256(stored).hexdigest()} {custom_code}"
    if checked is not None and key in checked:
        return
    for identifier, text in _nodes(stored):
        if identifier not in _NODES:
            raise unsafe(f"The artefact's {METADATA} holds an object of the kind {shown(identifier)}")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            raise unsafe(f"The artefact's {METADATA} holds no JSON") from None
        for entry in _objects(value):
            _check(entry, custom_code)
    if checked is not None:
        checked.add(key)


def _content(path: Path) -> bytes:
    """The bytes of the file. Refuses one that is missing, a link or too large."""
    if path.is_symlink() or not path.is_file():
        raise unsafe(f"The artefact lacks its {METADATA}: a loader would read metadata of the graph")
    if path.stat().st_size > _MOST_BYTES:
        raise unsafe(f"The artefact's {METADATA} has {path.stat().st_size:,} bytes")
    return path.read_bytes()


def _nodes(stored: bytes) -> Iterator[tuple[str, str]]:
    """The kind and the JSON text of each object. Refuses fields that this TensorFlow lacks."""
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

    try:
        metadata = SavedMetadata.FromString(stored)
    except DecodeError as error:
        raise unsafe(f"The artefact's {METADATA} cannot be read ({error})") from None
    metadata.DiscardUnknownFields()
    if metadata.ByteSize() != len(stored):
        raise unsafe(f"The artefact's {METADATA} holds more than this TensorFlow reads")
    if not metadata.nodes:
        raise unsafe(f"The artefact's {METADATA} describes no model")
    for node in metadata.nodes:
        yield node.identifier, node.metadata


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object within a JSON value, without recursion. Refuses deep nesting, which a loader follows recursively."""
    pending = [(value, 0)]
    while pending:
        each, depth = pending.pop()
        if depth > _MOST_DEEP:
            raise unsafe(f"The artefact's {METADATA} is nested more than {_MOST_DEEP} levels deep")
        if isinstance(each, dict):
            yield each
            pending.extend((item, depth + 1) for item in each.values())
        elif isinstance(each, list):
            pending.extend((item, depth + 1) for item in each)


def _check(entry: Mapping[str, Any], custom_code: bool) -> None:
    module, name = entry.get("module"), entry.get("class_name")
    if module is not None and not (module in _MODULES or (custom_code and module == _CUSTOM_MODULE)):
        raise unsafe(f"The artefact's {METADATA} names the module {shown(str(module))}, which a loader would import")
    if entry.get("registered_name") is not None and not custom_code:
        raise unsafe(f"The artefact's {METADATA} names the registered object {shown(str(entry['registered_name']))}")
    for option in _FILES:
        if isinstance(entry.get(option), str):
            raise unsafe(f"The artefact's {METADATA} names a file as {option}")
    if name is None:
        return
    if not custom_code and not _is_known(name):
        raise unsafe(f"The artefact's {METADATA} names the class {shown(str(name))}, which this program does not write")
    config = entry.get("config")
    if name == "TFOpLambda":
        function = config.get("function") if isinstance(config, Mapping) else None
        if not isinstance(function, str) or not _is_harmless(function, custom_code):
            raise unsafe(f"The artefact's {METADATA} calls the function {shown(str(function))}")


def _is_known(name: object) -> bool:
    """Whether it is a class of Keras; optimizers are registered as `Custom>Adam`. A Lambda is none that is written."""
    if not isinstance(name, str) or name == "Lambda":
        return False
    plain = name.removeprefix("Custom>")
    return plain in _CLASSES or plain in family_facts(Family.TF_KERAS).classes


def _is_harmless(function: str, custom_code: bool) -> bool:
    """Whether a function, by its name below `tf`, is written by this program; with custom code, only computes."""
    if function in FUNCTIONS or function in LISTED or function in _WRITTEN:
        return True
    first = function.removeprefix("compat.v1.").split(".")[0]
    return first in _PURE or (custom_code and first not in _ACTING)
