"""Writes a rebuilt model as one SavedModel with one traced signature.

The signature is traced once; `serve` and `__call__` are thin functions around the same trace, and the Keras metadata is
written without separate traces, so that `tf_keras.models.load_model` rebuilds the layers from their configs.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import inspect
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting
from tf_keras.protobuf.saved_metadata_pb2 import SavedMetadata

from transforms.rebuild import RebuiltModel
from transforms.rebuild.plain_counts import counts_in_plain_operations
from transforms.rebuild.tracing import shared_stack_trace, variables_read_once, without_gradients
from transforms.releases.table import Release
from transforms.saved_model.file_names import FINGERPRINT, GRAPH, METADATA, VARIABLES_INDEX
from transforms.saved_model.metadata_options import without_young_options
from transforms.saved_model.oldest_form import with_oldest_form
from transforms.saved_model.signature_names import rename_arguments, traceable_names
from transforms.saved_model.stable_names import with_stable_names

SIGNATURE = "serving_default"


def write_saved_model(model: RebuiltModel, folder: Path, *, autograph: bool = False, oldest: Release = ()) -> None:
    """Writes the SavedModel into an existing, empty folder.

    The same architecture gives the same files except variables/, byte for byte, whatever was written before.

    Args:
        model: with assigned variables.
        folder: receives the files.
        autograph: whether to translate Python's `if` and `for` over tensors, as custom layers may need; variables are
            then read where the code reads them, because it may assign some.
        oldest: the release of TensorFlow that is to load it: forms that need less are preferred to faster ones.

    Raises:
        OSError: the files cannot be written.
    """
    keras_model = model.keras_model
    traced_names = traceable_names(model.input_names)
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in zip(traced_names, keras_model.inputs, strict=True)
    ]
    output_names = model.output_names

    def serving_default(*inputs: Any) -> dict[str, Any]:
        tensors = [_of_its_batch(x, spec) for x, spec in zip(inputs, specs, strict=True)]
        outputs = keras_model(tensors[0] if len(tensors) == 1 else tensors, training=False)
        return dict(zip(output_names, tf.nest.flatten(outputs), strict=True))

    reading = contextlib.nullcontext() if autograph else variables_read_once()
    counting = counts_in_plain_operations() if oldest and oldest < (2, 4) else contextlib.nullcontext()
    with shared_stack_trace(), without_gradients(), reading, counting:
        traced = tf.function(serving_default, input_signature=specs, autograph=autograph).get_concrete_function()

    keras_model.serve = _serve(traced, specs, model.input_names, output_names)
    vars(keras_model)["__call__"] = keras_model.serve  # tracked under this name, it makes the loaded object callable
    with quiet_tensorflow(), shared_stack_trace(), disk_errors():
        keras_model.save(
            str(folder), save_format="tf", include_optimizer=False, save_traces=False, signatures={SIGNATURE: traced}
        )
    renamed = {old: new for old, new in zip(traced_names, model.input_names, strict=True) if old != new}
    path = folder / GRAPH
    written = SavedModel.FromString(path.read_bytes())
    if renamed:
        rename_arguments(written, SIGNATURE, renamed)
    path.write_bytes(with_stable_names(with_oldest_form(written)).SerializeToString(deterministic=True))
    metadata = SavedMetadata.FromString((folder / METADATA).read_bytes())
    (folder / METADATA).write_bytes(without_young_options(metadata).SerializeToString(deterministic=True))
    write_fingerprint(folder)


def _of_its_batch(x: Any, spec: tf.TensorSpec) -> Any:
    """An input whose batch is not free is held to it, or an operation deep in the graph would name other numbers."""
    return x if spec.shape[0] is None else tf.ensure_shape(x, spec.shape, name=f"{spec.name}_of_fixed_batch")


def _serve(traced: Any, specs: Sequence[tf.TensorSpec], names: Sequence[str], output_names: Sequence[str]) -> Any:
    """The traced function for callers in Python: it takes tensors in the model's order, a list or tuple of them, or
    keywords, and gives one output or a list.
    """

    def serve(*tensors: Any) -> Any:
        given = tensors[0] if isinstance(tensors[0], (list, tuple)) else tensors
        outputs = traced(*given)
        return outputs[output_names[0]] if len(output_names) == 1 else [outputs[name] for name in output_names]

    first, *others = names
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    vars(serve)["__signature__"] = inspect.Signature(
        [inspect.Parameter(first, kind), *(inspect.Parameter(name, kind, default=None) for name in others)]
    )
    function = tf.function(serve, autograph=False)
    for arguments in (specs, [list(specs)], [tuple(specs)]):
        function.get_concrete_function(*arguments)
    return function


def written_graph(folder: Path) -> Any:
    """The MetaGraphDef of a written SavedModel."""
    (graph,) = SavedModel.FromString((folder / GRAPH).read_bytes()).meta_graphs
    return graph


def write_fingerprint(folder: Path) -> None:
    """Writes TensorFlow's fingerprint of a complete SavedModel, with a UUID derived from the content."""
    _write_fingerprint(FingerprintDef.FromString(fingerprinting.CreateFingerprintDef(str(folder))), folder)


def write_fingerprint_like(known: bytes, folder: Path) -> None:
    """The same, from the `fingerprint.pb` of another SavedModel with the same graph: only variables/ is read.

    TensorFlow hashes `variables.index` with FarmHash, little-endian (HashCheckpointIndexFile in
    tensorflow/cc/saved_model/fingerprinting_utils.cc).
    """
    fingerprint = FingerprintDef.FromString(known)
    index = (folder / VARIABLES_INDEX).read_bytes()
    fingerprint.checkpoint_hash = int.from_bytes(tf.fingerprint([index], "farmhash64").numpy().tobytes(), "little")
    _write_fingerprint(fingerprint, folder)


def _write_fingerprint(fingerprint: FingerprintDef, folder: Path) -> None:
    fingerprint.uuid = ""
    content = hashlib.sha256(fingerprint.SerializeToString(deterministic=True)).digest()
    fingerprint.uuid = str(int.from_bytes(content[:16]))
    (folder / FINGERPRINT).write_bytes(fingerprint.SerializeToString(deterministic=True))


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Converts TensorFlow's errors of writing to OSError or MemoryError."""
    try:
        yield
    except tf.errors.OpError as error:
        message = " ".join(str(error.message).split())[:300]
        if isinstance(error, tf.errors.ResourceExhaustedError) and os.strerror(errno.ENOSPC) not in message:
            raise MemoryError(message) from error
        full = isinstance(error, tf.errors.ResourceExhaustedError)
        raise OSError(errno.ENOSPC if full else errno.EIO, message) from error


@contextlib.contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Suppresses TensorFlow's advice about uncompiled metrics and traces."""
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
