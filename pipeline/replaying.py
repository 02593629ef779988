"""Runs the samples kept with a published model again. Called in a child: it is the one file here with TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_SAMPLES = "assets.extra/samples.npz"


def replay_samples(output: str, rtol: float, atol: float) -> list[str]:
    """Loads an output and compares its answers with those kept in its samples.

    Args:
        output: folder of a SavedModel with `samples.npz`: x0, x1, … in the order of the model's inputs, y0, y1, … in
            that of its outputs, as recorded at publication.
        rtol: see `atol`.
        atol: |a - b| <= atol + rtol |b|, element by element.

    Returns:
        A sentence for each problem; whatever TensorFlow raises is one.
    """
    import numpy as np
    import tensorflow as tf

    with np.load(Path(output, _SAMPLES), allow_pickle=False) as arrays:
        samples = {name: arrays[name] for name in arrays.files}
    loaded = tf.saved_model.load(output)  # Its functions hold its variables only weakly.
    serve = loaded.serve
    specs = serve.concrete_functions[0].structured_input_signature[0]
    inputs = [tf.cast(samples[f"x{index}"], spec.dtype) for index, spec in enumerate(specs)]
    try:
        answers = tf.nest.flatten(serve(*inputs))
    except (tf.errors.OpError, ValueError) as error:
        return [f"does not run on its samples: {error}"]
    return [
        problem
        for index, answer in enumerate(answers)
        if (problem := _difference(index, answer.numpy(), samples[f"y{index}"], rtol, atol))
    ]


def _difference(index: int, answer: Any, kept: Any, rtol: float, atol: float) -> str:
    import numpy as np

    if answer.shape != kept.shape:
        return f"output {index} has shape {answer.shape}, {kept.shape} was kept"
    if kept.dtype.kind not in "fc":
        return "" if np.array_equal(answer, kept) else f"output {index} differs from what was kept"
    if np.allclose(answer, kept, rtol=rtol, atol=atol, equal_nan=True):
        return ""
    return f"output {index} differs from what was kept by up to {np.nanmax(np.abs(answer - kept)):.3g}"
