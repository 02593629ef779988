"""TensorFlow's converter to TFLite with select operations of TensorFlow, and its interpreter."""

import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import tensorflow as tf  # noqa: E402
from answers import run  # noqa: E402


def load(folder):
    converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["serving_default"])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    converter._experimental_lower_tensor_list_ops = False
    content = converter.convert()

    def answer(inputs):
        interpreter = tf.lite.Interpreter(model_content=content)
        runner = interpreter.get_signature_runner("serving_default")
        return runner(**inputs)

    return answer


run(load)
