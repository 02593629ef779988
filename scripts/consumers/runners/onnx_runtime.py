"""tf2onnx converts the SavedModel, onnxruntime runs it."""

import os
import subprocess
import sys
import tempfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="-1")

import onnxruntime  # noqa: E402
from answers import run  # noqa: E402


def load(folder):
    path = os.path.join(tempfile.mkdtemp(), "model.onnx")
    command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", folder, "--opset", "17", "--output", path]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode:
        raise RuntimeError(done.stdout.strip().splitlines()[-1])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_outputs()]

    def answer(inputs):
        return dict(zip(names, session.run(names, inputs)))

    return answer


run(load)
