"""Layers of tf-keras that are called otherwise than on their inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from transforms.architecture.attention import ATTENTION_MASK


def call_attention(keras_layer: Any, options: Mapping[str, Any], tensors: Sequence[Any]) -> Any:
    """MultiHeadAttention on query, value, key and, where a tensor masks them, that mask."""
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
    """Booleans as a tensor that depends on another: tf-keras reads a layer's own constant arguments as mere lists."""
    never = tf.math.less(tf.reduce_sum(tf.zeros_like(tensor)), 0)
    return tf.math.logical_or(never, values)


def read_statistics(keras_layer: Any, x: Any) -> None:
    """Has a Normalization read its variables at each call: tf-keras keeps what they held when it was built.

    Raises ValueError where the statistics do not stand along the last axes of the input, as they must to be broadcast.
    """
    if keras_layer.input_mean is not None:
        return
    kept = [axis % x.shape.rank for axis in keras_layer.axis]
    if sorted(kept) != list(range(x.shape.rank - len(kept), x.shape.rank)):
        raise ValueError(f"a Normalization over the axes {kept} of {x.shape.rank}")
    keras_layer.mean, keras_layer.variance = keras_layer.adapt_mean, keras_layer.adapt_variance
