"""The peers, in one warm process: tf-keras's load_model with save, and with export.

python scripts/benchmarks/peer_process.py JOB      JOB is JSON: files, and a folder for what they write

Prints JSON. What a user would write in a loop, at its best: nothing is compiled, and the session is cleared between
models.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ |= {
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_USE_LEGACY_KERAS": "1",
}


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    start = time.perf_counter()
    import tf_keras

    imported = time.perf_counter() - start
    results = [_converted(tf_keras, Path(file), Path(job["folder"]), job["export"]) for file in job["files"]]
    print(json.dumps({"import": imported, "models": results}))


def _converted(tf_keras: Any, file: Path, folder: Path, export: bool) -> dict[str, Any]:
    """Seconds of loading, saving and exporting one file, its error against golden outputs; or why it cannot be."""
    mapping = {"CuDNNLSTM": tf_keras.layers.LSTM, "CuDNNGRU": tf_keras.layers.GRU}
    found: dict[str, Any] = {"file": str(file)}
    print(f"peers: {file.name}", file=sys.stderr)
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            model, found["load"] = _timed(
                lambda: tf_keras.models.load_model(file, custom_objects=mapping, compile=False)
            )
            found["max_abs_error"] = _error(model, file.with_suffix(".npz"))
            _, found["save"] = _timed(lambda: model.save(str(folder / "saved"), save_format="tf"))
            if export:
                # save() leaves traces behind that export() would profit from: it gets a model of its own.
                tf_keras.backend.clear_session()
                model = tf_keras.models.load_model(file, custom_objects=mapping, compile=False)
                _, found["export"] = _timed(lambda: model.export(str(folder / "exported")))
        except Exception as error:  # A peer's exception for a file is its result.
            found["refused"] = f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
    tf_keras.backend.clear_session()
    shutil.rmtree(folder, ignore_errors=True)
    return found


def _timed(step: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = step()
    return result, time.perf_counter() - start


def _error(model: Any, samples: Path) -> float | None:
    """Largest absolute difference to the outputs of the runtime that wrote the file, where they are known."""
    import numpy as np
    import tensorflow as tf

    if not samples.exists():
        return None
    with np.load(samples) as held:
        inputs = [held[f"x{index}"] for index in range(100) if f"x{index}" in held.files]
        golden = [held[f"y{index}"] for index in range(100) if f"y{index}" in held.files]
    outputs = tf.nest.flatten(model(inputs[0] if len(inputs) == 1 else inputs, training=False))
    return max(float(np.abs(ours.numpy() - theirs).max()) for ours, theirs in zip(outputs, golden, strict=True))


if __name__ == "__main__":
    main()
