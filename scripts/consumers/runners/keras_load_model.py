"""tf.keras.models.load_model (tf_keras where it is installed), and the model called on a list of tensors."""

import json
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import tensorflow as tf  # noqa: E402
from answers import run  # noqa: E402

try:
    import tf_keras as keras
except ImportError:
    keras = tf.keras


def load(folder):
    model = keras.models.load_model(folder, compile=False)
    with open(os.path.join(folder, "assets.extra", "h5ferry.json")) as file:
        signature = json.load(file)["signature"]

    def answer(inputs):
        given = [tf.constant(inputs[each["name"]]) for each in signature["inputs"]]
        outputs = tf.nest.flatten(model(given[0] if len(given) == 1 else given, training=False))
        return {each["name"]: value.numpy() for each, value in zip(signature["outputs"], outputs)}

    return answer


run(load)
