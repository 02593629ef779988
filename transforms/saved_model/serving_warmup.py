"""The warm-up file that TF Serving replays when it loads a model: one PredictionLog record.

The protocol buffers of tensorflow_serving/apis are not a dependency; their wire form is small enough to write:
PredictionLog.predict_log = 6, PredictLog.request = 1, PredictRequest.model_spec = 1 and inputs = 2 (a map, entries
key = 1 and value = 2), ModelSpec.name = 1 and signature_name = 3. Source: prediction_log.proto, predict.proto and
model.proto of TensorFlow Serving 2.x.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf


def write_warmup(path: Path, model: str, signature: str, inputs: Mapping[str, Any]) -> None:
    """Writes a TFRecord file with one predict request. Raises OSError if it cannot be written."""
    spec = _field(1, model.encode()) + _field(3, signature.encode())
    entries = b"".join(
        _field(2, _field(1, name.encode()) + _field(2, tf.make_tensor_proto(value).SerializeToString()))
        for name, value in sorted(inputs.items())
    )
    request = _field(1, spec) + entries
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(_field(6, _field(1, request)))


def _field(number: int, payload: bytes) -> bytes:
    """One length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
