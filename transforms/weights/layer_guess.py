"""Infers layers from the arrays of a weights-only file, for messages.

The kind of a recurrent layer follows from its bias: 8u CuDNNLSTM, 4u LSTM, (6u,) CuDNNGRU, (2, 3u) GRU with
reset_after, (3u,) GRU without, u SimpleRNN, for a recurrent kernel (u, n*u).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transforms.source.stored_array import StoredArray
from transforms.weights.slots import role_in

_GATED_BIASES: Mapping[tuple[int, int], str] = {
    (4, 8): "CuDNNLSTM",
    (4, 4): "LSTM",
    (3, 6): "CuDNNGRU",
    (3, 3): "GRU",
    (1, 1): "SimpleRNN",
}


def revealed_layer(arrays: Sequence[StoredArray]) -> str:
    """A phrase such as "CuDNNLSTM with 128 units", or the arrays' shapes if they reveal nothing.

    Args:
        arrays: of one weight group, in stored order.
    """
    shapes = {role: array.shape for array in arrays if (role := role_in(array.name)) is not None}
    if len(shapes) != len(arrays):
        return _listing(arrays)
    recurrent = shapes.get("recurrent_kernel")
    if recurrent is not None and len(recurrent) == 2:
        return _recurrent(recurrent, shapes.get("bias")) or _listing(arrays)
    if "embeddings" in shapes:
        vocabulary, size = shapes["embeddings"]
        return f"Embedding of {vocabulary} ids in {size} numbers"
    if "moving_variance" in shapes:
        return f"BatchNormalization over {shapes['moving_variance'][0]} channels"
    kernel = shapes.get("kernel", ())
    if len(kernel) == 2:
        return f"Dense from {kernel[0]} to {kernel[1]} units"
    if len(kernel) in (3, 4, 5) and recurrent is None:
        return f"Conv{len(kernel) - 2}D with {kernel[-1]} filters"
    return _listing(arrays)


def _recurrent(recurrent: tuple[int, ...], bias: tuple[int, ...] | None) -> str | None:
    units = recurrent[0]
    gates, rest = divmod(recurrent[1], units) if units else (0, 1)
    if rest:
        return None
    if bias is None:
        return f"a recurrent layer of {gates} gates with {units} units and no bias"
    if bias == (2, 3 * units):
        return f"GRU (reset_after) with {units} units"
    kind = _GATED_BIASES.get((gates, bias[0] // units)) if len(bias) == 1 and bias[0] % units == 0 else None
    return f"{kind} with {units} units" if kind else None


def _listing(arrays: Sequence[StoredArray]) -> str:
    return ", ".join(f"{array.name.rsplit('/', 1)[-1]}{list(array.shape)}" for array in arrays[:8])
