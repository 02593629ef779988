"""Counts by plain operations are those of tf-keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tf_keras.src.layers.preprocessing import preprocessing_utils

from transforms.rebuild.plain_counts import plain_bincount


@pytest.mark.parametrize("weights", [None, [[0.5, 2.0, 1.0, -1.0], [3.0, 0.25, 0.0, 1.0]]])
@pytest.mark.parametrize("ids", [[[0, 2, 2, 9], [1, 1, 1, 3]], [[0, 4], [1, 1]], [[], []]])
@pytest.mark.parametrize("binary", [False, True])
def test_counts(ids: Any, weights: Any, binary: bool) -> None:
    ids = np.array(ids, np.int64)
    if weights is not None and (binary or ids.shape != (2, 4)):
        return  # TensorFlow takes no weights for binary outputs
    arguments = (tf.constant(ids), 5, binary, "float32", None if weights is None else tf.constant(weights))
    wanted = preprocessing_utils.dense_bincount(*arguments).numpy()
    np.testing.assert_array_equal(plain_bincount(*arguments).numpy(), wanted)
