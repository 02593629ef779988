"""Runs the samples stored with a published model again, in a child: the only module of this package with TensorFlow."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

_SAMPLES = "assets.extra/samples.npz"


def replay_samples(output: Path, rtol: float, atol: float, custom_code: bool) -> tuple[list[str], float]:
    """Loads an output and compares its outputs with those stored in its samples.

    Args:
        output: folder of a SavedModel with `samples.npz`: x0, x1, … in the order of the model's inputs, y0, y1, … in
            that of its outputs, as recorded at publication.
        rtol: see `atol`.
        atol: |a - b| <= atol + rtol |b|, element by element.
        custom_code: whether the operator's code was used to build it.

    Returns:
        A sentence for each problem, including whatever TensorFlow raises; and the largest |a - b|, nan if nothing was
        compared.

    Raises:
        MigrationError: `unsafe_op`, the graph could do more than compute its outputs and is not loaded.
    """
    import numpy as np
    import tensorflow as tf

    from transforms.saved_model.loaded import keep_functions_as_written
    from transforms.saved_model.operation_check import check_operations

    keep_functions_as_written()
    check_operations(output, custom_code=custom_code)
    try:
        with np.load(output / _SAMPLES, allow_pickle=False) as arrays:
            samples = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        return [f"has no readable samples: {error}"], float("nan")
    try:
        loaded = tf.saved_model.load(os.fspath(output))  # Its functions hold only weak references to its variables.
        serve = loaded.serve
        stated = tf.nest.flatten(serve.concrete_functions[0].structured_input_signature)
        specs = [spec for spec in stated if isinstance(spec, tf.TensorSpec)]
        inputs = [tf.cast(samples[f"x{index}"], spec.dtype) for index, spec in enumerate(specs)]
        answers = [answer.numpy() for answer in tf.nest.flatten(serve(*inputs))]
        kept = [samples[f"y{index}"] for index in range(len(answers))]
    except (tf.errors.OpError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        said = " ".join(str(error).split())[:300]
        return [f"does not run on its samples: {type(error).__name__}: {said}"], float("nan")
    found = [_difference(answer, expected, rtol, atol) for answer, expected in zip(answers, kept, strict=True)]
    problems = [f"output {index} {problem}" for index, (problem, _) in enumerate(found) if problem]
    errors = [error for _, error in found if not np.isnan(error)]
    return problems, max(errors, default=float("nan"))


def _difference(answer: Any, kept: Any, rtol: float, atol: float) -> tuple[str, float]:
    """The problem with an output ("" for none), and the largest |output - stored|."""
    import numpy as np

    if answer.shape != kept.shape:
        return f"has shape {answer.shape}, {kept.shape} was kept", float("nan")
    if kept.dtype.kind not in "fc":
        same = np.array_equal(answer, kept)
        return "" if same else "differs from what was kept", 0.0 if same else float("nan")
    with np.errstate(invalid="ignore"):
        apart = np.abs(answer.astype(kept.dtype) - kept)
    error = float(np.nanmax(apart)) if apart.size and not np.isnan(apart).all() else 0.0
    if np.allclose(answer, kept, rtol=rtol, atol=atol, equal_nan=True):
        return "", error
    return f"differs from what was kept by up to {error:.3g}", error
