"""Calls of tf-keras layers that need more than their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
import tf_keras

from transforms.architecture.attention import ATTENTION_MASK


def call_attention(keras_layer: Any, options: Mapping[str, Any], tensors: Sequence[Any]) -> Any:
    """Calls MultiHeadAttention on query, value, key and, if it is a tensor, the mask."""
    query, value, key = tensors[:3]
    mask = options[ATTENTION_MASK]
    if mask is not None:
        mask = tensors[3] if mask is True else _constant_beside(query, mask)
    return keras_layer(
        query,
        value,
        key=key,
        attention_mask=mask,
        return_attention_scores=options["return_attention_scores"],
        use_causal_mask=options["use_causal_mask"],
    )


def _constant_beside(tensor: Any, values: Any) -> Any:
    """Booleans as a tensor that depends on another: tf-keras reads a layer's constant arguments as lists."""
    never = tf.math.less(tf.reduce_sum(tf.zeros_like(tensor)), 0)
    return tf.math.logical_or(never, values)


def read_statistics(keras_layer: Any, x: Any) -> None:
    """Makes a Normalization read its variables at each call: tf-keras uses their values from when it was built.

    Raises ValueError if the statistics are not along the last axes of the input, as broadcasting requires.
    """
    if keras_layer.input_mean is not None:
        return
    kept = [axis % x.shape.rank for axis in keras_layer.axis]
    if sorted(kept) != list(range(x.shape.rank - len(kept), x.shape.rank)):
        raise ValueError(f"a Normalization over the axes {kept} of {x.shape.rank}")
    keras_layer.mean, keras_layer.variance = keras_layer.adapt_mean, keras_layer.adapt_variance


def normalize_in_plain_operations(keras_layer: Any) -> None:
    """Has a LayerNormalization, once built, compute mean and variance as such.

    tf-keras borrows FusedBatchNormV3 in training mode and NCHW (`LayerNormalization.call`), for which TensorFlow 1.15
    has no kernel on a processor, and of which converters make something else.
    """
    if isinstance(keras_layer, tf_keras.layers.LayerNormalization):
        keras_layer._fused = False
