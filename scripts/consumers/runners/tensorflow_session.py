"""The signature in a session, as TensorFlow 1 and TensorFlow Serving run it."""

import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import tensorflow as tf  # noqa: E402
from answers import run  # noqa: E402


def load(folder):
    graph = tf.Graph()
    session = tf.compat.v1.Session(graph=graph)
    with graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], folder)
    signature = loaded.signature_def["serving_default"]
    names = sorted(signature.outputs)

    def answer(inputs):
        feed = {signature.inputs[name].name: value for name, value in inputs.items()}
        return dict(zip(names, session.run([signature.outputs[name].name for name in names], feed)))

    return answer


run(load)
