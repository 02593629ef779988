"""keras.layers.TFSMLayer of Keras 3, called on a list of arrays where there are several inputs."""

import json
import os

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import keras  # noqa: E402
import numpy as np  # noqa: E402
from answers import run  # noqa: E402


def load(folder):
    layer = keras.layers.TFSMLayer(folder, call_endpoint="serve")
    with open(os.path.join(folder, "assets.extra", "h5ferry.json")) as file:
        signature = json.load(file)["signature"]

    def answer(inputs):
        given = [inputs[each["name"]] for each in signature["inputs"]]
        outputs = layer(given[0] if len(given) == 1 else given)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return {each["name"]: np.asarray(value) for each, value in zip(signature["outputs"], outputs)}

    return answer


run(load)
