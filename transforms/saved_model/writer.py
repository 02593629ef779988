"""Writes a rebuilt model as one SavedModel with one traced signature.

The signature is traced once; `serve` and `__call__` are thin functions around the same trace, and the Keras metadata is
written without separate traces, so that `tf_keras.models.load_model` rebuilds the layers from their configs.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.saved_model.pywrap_saved_model import fingerprinting

from transforms.rebuild import RebuiltModel
from transforms.rebuild.tracing import shared_stack_trace, without_gradients
from transforms.saved_model.file_names import FINGERPRINT, GRAPH, VARIABLES_INDEX
from transforms.saved_model.signature_names import rename_arguments, traceable_names
from transforms.saved_model.stable_names import with_stable_names

SIGNATURE = "serving_default"


def write_saved_model(model: RebuiltModel, folder: Path, *, autograph: bool = False) -> None:
    """Writes the SavedModel into an existing, empty folder.

    The same architecture gives the same files except variables/, byte for byte, whatever was written before.

    Args:
        model: with assigned variables.
        folder: receives the files.
        autograph: whether to translate Python's `if` and `for` over tensors, as custom layers may need.

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
        outputs = keras_model(inputs[0] if len(inputs) == 1 else list(inputs), training=False)
        return dict(zip(output_names, tf.nest.flatten(outputs), strict=True))

    with shared_stack_trace(), without_gradients():
        traced = tf.function(serving_default, input_signature=specs, autograph=autograph).get_concrete_function()

    def serve(*inputs: Any) -> Any:
        outputs = traced(*inputs)
        return outputs[output_names[0]] if len(output_names) == 1 else [outputs[name] for name in output_names]

    keras_model.serve = tf.function(serve, input_signature=specs, autograph=False)
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
    path.write_bytes(with_stable_names(written).SerializeToString(deterministic=True))
    write_fingerprint(folder)


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
