"""Runs the samples stored with a published model again, in a child: the only module of this package with TensorFlow."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.storage.canonical_json import sha256_of
from pipeline.storage.regular_file import read_regular
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, GIB
from transforms.saved_model.file_names import GRAPH
from transforms.source.npz import NpzFile

_SAMPLES = "assets.extra/samples.npz"
#: No protocol buffer is larger.
_GRAPH_BYTES = 2 * GIB


def replay_samples(
    output: Path, graph_sha256: str, rtol: float, atol: float, custom_code: bool
) -> tuple[list[str], float]:
    """Loads an output and compares its answers with those kept in its samples.

    Args:
        output: folder of a SavedModel with `samples.npz`: x0, x1, … in the order of the model's inputs, y0, y1, … in
            that of its outputs, as recorded at publication.
        graph_sha256: of the graph that may be loaded, and no other, whatever lies there by then.
        rtol: see `atol`.
        atol: |a - b| <= atol + rtol |b|, element by element.
        custom_code: whether the operator's code was used to build it.

    Returns:
        A sentence for each problem, including whatever TensorFlow raises; and the largest |a - b|, nan if nothing was
        compared.

    Raises:
        MigrationError: `unsafe_op`, the graph could do more than compute its outputs: it is not loaded;
            `digest_mismatch`, it is another one.
    """
    import numpy as np
    import tensorflow as tf

    from transforms.saved_model.loaded import keep_functions_as_written
    from transforms.saved_model.operation_check import check_operations

    keep_functions_as_written()
    with _own_graph(output, graph_sha256) as own:
        check_operations(own, custom_code=custom_code)
        try:
            loaded = tf.saved_model.load(os.fspath(own))  # Its functions hold only weak references to its variables.
            serve = loaded.serve
            stated = tf.nest.flatten(serve.concrete_functions[0].structured_input_signature)
            specs = [spec for spec in stated if isinstance(spec, tf.TensorSpec)]
            inputs = _samples(output, "x", len(specs))
            arguments = [tf.cast(given, spec.dtype) for given, spec in zip(inputs, specs, strict=True)]
            answers = [answer.numpy() for answer in tf.nest.flatten(serve(*arguments))]
        except (tf.errors.OpError, OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            said = " ".join(str(error).split())[:300]
            return [f"does not run on its samples: {type(error).__name__}: {said}"], float("nan")
        except MigrationError as error:
            return [f"has no readable samples: {error}"], float("nan")
    try:
        kept = _samples(output, "y", len(answers))
    except MigrationError as error:
        return [f"has no readable samples: {error}"], float("nan")
    found = [_difference(answer, expected, rtol, atol) for answer, expected in zip(answers, kept, strict=True)]
    problems = [f"output {index} {problem}" for index, (problem, _) in enumerate(found) if problem]
    errors = [error for _, error in found if not np.isnan(error)]
    return problems, max(errors, default=float("nan"))


@contextlib.contextmanager
def _own_graph(output: Path, graph_sha256: str) -> Iterator[Path]:
    """A folder that nobody else can reach, with the graph and a link to the variables.

    Between a look at a graph in a shared folder and its loading, another could take its place.
    """
    try:
        graph = read_regular(output / GRAPH, _GRAPH_BYTES, output)
    except OSError as error:
        raise MigrationError(Reason.SOURCE_MISSING, f"Its graph cannot be read: {error.strerror}") from error
    if sha256_of(graph) != graph_sha256:
        raise MigrationError(Reason.DIGEST_MISMATCH, "Its graph was changed while it was verified")
    with tempfile.TemporaryDirectory(prefix="h5ferry-") as folder:
        Path(folder, GRAPH).write_bytes(graph)
        Path(folder, "variables").symlink_to(output / "variables")
        yield Path(folder)


def _samples(output: Path, letter: str, count: int) -> list[Any]:
    names = [f"{letter}{index}" for index in range(count)]
    with NpzFile(output / _SAMPLES, DEFAULT_LIMITS) as samples:
        arrays = samples.read(names)
    return [arrays[name] for name in names]


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
    precision = float(np.finfo(answer.dtype).eps) if answer.dtype.kind == "f" else 0.0
    if np.allclose(answer, kept, rtol=max(rtol, 4 * precision), atol=atol, equal_nan=True):
        return "", error
    return f"differs from what was kept by up to {error:.3g}", error
