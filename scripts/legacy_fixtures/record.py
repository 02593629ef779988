"""Saves a model beside its inputs and the outputs that the legacy runtime gave for them."""

import numpy as np

SHORT, LONG = 7, 9


def predict(model: object, inputs: "list[np.ndarray]") -> "list[np.ndarray]":
    """One clean pass: stateful layers start from zeros, whatever ran before."""
    if getattr(model, "stateful", False):
        model.reset_states()
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]), verbose=0)
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def goldens(model: object, feeds: "list[object]", rng: np.random.RandomState, batch: "int | None" = None) -> dict:
    """Two batches: x/y, and alt_x/alt_y of another size and, where time is free, another length."""
    arrays = {}
    for prefix, size, time in (("", batch or 4, SHORT), ("alt_", batch or 3, LONG)):
        inputs = [feed.draw(rng, size, time) for feed in feeds]
        for i, value in enumerate(inputs):
            arrays[f"{prefix}x{i}"] = value
        for i, value in enumerate(predict(model, inputs)):
            if value.dtype == object:
                value = np.array([text.decode() for text in value.reshape(-1)]).reshape(value.shape)
            elif not np.isfinite(value).all():
                raise ValueError(f"the runtime's output {i} is not finite")
            arrays[f"{prefix}y{i}"] = value
    return arrays


def write(model: object, arrays: dict, path: str) -> None:
    model.save(path + ".h5")
    np.savez_compressed(path + ".npz", **arrays)
