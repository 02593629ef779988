"""Weights that betray a mistake: no zeros, no ones, no symmetry, and every bias half random."""

import numpy as np


def leaves(layer: object) -> "list[object]":
    """The layers that hold weights of their own, each once, in the order in which the model was put together.

    Models and TimeDistributed wrappers are opened up: Keras 2.2 lists a model's `weights` (trainable first) in another
    order than `get_weights` returns them, so both are only ever asked of a single layer.
    """
    found = []
    if getattr(layer, "layers", None) is not None:
        for inner in layer.layers:
            found += [leaf for leaf in leaves(inner) if not any(leaf is seen for seen in found)]
    elif type(layer).__name__ == "TimeDistributed":
        found = leaves(layer.layer)
    elif layer.weights:
        found = [layer]
    return found


def _draw(name: str, shape: "tuple[int, ...]", rng: np.random.RandomState, gain: float) -> np.ndarray:
    """Random values for a weight, by the role which its name tells."""
    role = name.split("/")[-1].split(":")[0]
    if "variance" in role:
        return rng.uniform(0.4, 2.0, shape)
    if "gamma" in role:
        return rng.uniform(0.5, 1.5, shape)
    if "alpha" in role:
        return rng.uniform(0.05, 0.6, shape)
    if role.startswith("embeddings"):
        return rng.normal(0, 0.8, shape)
    if "bias" in role or "beta" in role or "mean" in role or len(shape) < 2:
        return rng.normal(0, 0.25, shape)
    fan_in = int(np.prod(shape[:-2] if "depthwise" in role else shape[:-1]))
    if "recurrent" in role:
        gain = gain * 0.7
    return rng.normal(0, gain / np.sqrt(max(1, fan_in)), shape)


def randomise(model: object, rng: np.random.RandomState, gain: float = 1.2) -> None:
    for leaf in leaves(model):
        pairs = zip(leaf.weights, leaf.get_weights())
        leaf.set_weights([_draw(weight.name, old.shape, rng, gain).astype(old.dtype) for weight, old in pairs])


def copy_to_cpu(runtime: object, source: object, twin: object) -> None:
    """Give `twin` (built with `on_cpu`) the weights of `source`, by the conversion of the legacy runtime itself.

    The goldens of a CuDNN model are therefore the legacy runtime's own CPU rendering: its
    `preprocess_weights_for_loading` turns CuDNN gate blocks, alone or under Bidirectional, into LSTM and GRU kernels.
    """
    ours, theirs = leaves(source), leaves(twin)
    if len(ours) != len(theirs):
        raise RuntimeError(f"the twin has {len(theirs)} layers with weights, not {len(ours)}")
    for from_layer, to_layer in zip(ours, theirs):
        to_layer.set_weights(runtime.preprocess_weights(to_layer, from_layer.get_weights()))
