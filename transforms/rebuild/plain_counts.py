"""Counts of categories in operations that TensorFlow before 2.4 knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf
from tf_keras.src.layers.preprocessing import preprocessing_utils

from transforms.rebuild.tracing import patched


@contextmanager
def counts_in_plain_operations() -> Iterator[None]:
    """Category layers traced inside sum one-hot vectors, in place of DenseBincount.

    For ids of shape (batch, n) and a given depth this holds batch * n * depth numbers at once.
    """
    with patched(preprocessing_utils, "dense_bincount", plain_bincount):
        yield


def plain_bincount(inputs: Any, depth: int, binary_output: bool, dtype: Any, count_weights: Any = None) -> Any:
    """How often each id below `depth` stands in the last axis; with `binary_output`, whether it does.

    count[..., c] = sum_i weight[..., i] * (input[..., i] == c)
    """
    chosen = tf.one_hot(inputs, depth, dtype=dtype)
    if count_weights is not None:
        chosen *= tf.cast(count_weights, dtype)[..., tf.newaxis]
    counts = tf.reduce_sum(chosen, axis=-2)
    return tf.minimum(counts, tf.ones((), dtype)) if binary_output else counts
