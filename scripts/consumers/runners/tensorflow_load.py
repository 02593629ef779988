"""tf.saved_model.load, and the signature called."""

import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import tensorflow as tf  # noqa: E402
from answers import run  # noqa: E402

if not hasattr(tf, "function") or tf.__version__.startswith("1."):
    tf.compat.v1.enable_v2_behavior()


def load(folder):
    loaded = tf.saved_model.load(folder)
    signature = loaded.signatures["serving_default"]

    def answer(inputs):
        assert loaded is not None  # its functions hold its variables only weakly
        return {
            name: value.numpy()
            for name, value in signature(**{name: tf.constant(value) for name, value in inputs.items()}).items()
        }

    return answer


run(load)
