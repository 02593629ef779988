"""Functions of `tf.signal`: frames, windows and Fourier transforms (tensorflow/python/ops/signal of 1.15 and 2.15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from transforms.reference.functions.operands import array, integers
from transforms.reference.layer_call import Array, NotCovered


def _frame(
    signal: Any, frame_length: Any, frame_step: Any, pad_end: Any = False, pad_value: Any = 0, axis: Any = -1
) -> Array:
    """(..., n) -> (..., frames, length): as many as fit, or ceil(n / step) with an end that is padded."""
    x, length, step = array(signal), int(frame_length), int(frame_step)
    if int(axis) % x.ndim != x.ndim - 1:
        raise NotCovered("signal.frame along another axis than the last")
    n = x.shape[-1]
    count = -(-n // step) if pad_end else max(0, 1 + (n - length) // step)
    if pad_end:
        more = max(0, (count - 1) * step + length - n)
        x = np.pad(x, [*[(0, 0)] * (x.ndim - 1), (0, more)], constant_values=array(pad_value, x))
    return np.stack([x[..., i * step : i * step + length] for i in range(count)], axis=-2)


def _cosine_window(share: float) -> Callable[..., Array]:
    """The cosine window a - (1 - a) cos(2 pi i / n), n less 1, or of even periodic ones the length."""

    def rule(window_length: Any, periodic: Any = True, dtype: Any = None) -> Array:
        length = int(window_length)
        period = length + int(bool(periodic) and length % 2 == 0) - 1
        if length == 1:
            return np.ones(1)
        return np.asarray(share - (1.0 - share) * np.cos(2.0 * np.pi * np.arange(length) / period))

    return rule


def _real_transform(input_tensor: Any, fft_length: Any = None) -> Array:
    return np.fft.rfft(array(input_tensor), None if fft_length is None else integers(fft_length)[0])


def _short_time(
    signals: Any, frame_length: Any, frame_step: Any, fft_length: Any = None, pad_end: Any = False
) -> Array:
    """The transform of each frame under a periodic Hann window, over the next power of 2."""
    frames = _frame(signals, frame_length, frame_step, pad_end)
    length = int(frame_length)
    points = 1 << max(0, length - 1).bit_length() if fft_length is None else int(fft_length)
    return np.fft.rfft(frames * _cosine_window(0.5)(length), points)


def _cosine_transform(input: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None) -> Array:
    """2 sum x_i cos(pi k (2 i + 1) / 2 n); `ortho` divides by sqrt(4 n), and by sqrt(8 n) / 2 beyond the first."""
    x = array(input)
    if int(type) != 2 or n is not None or int(axis) % x.ndim != x.ndim - 1:
        raise NotCovered("signal.dct of another kind")
    size = x.shape[-1]
    k, i = np.arange(size)[:, np.newaxis], np.arange(size)[np.newaxis]
    found = 2.0 * (x @ np.cos(np.pi * k * (2 * i + 1) / (2 * size)).T)
    if norm is None:
        return np.asarray(found)
    return np.asarray(found * np.where(np.arange(size) == 0, 1 / np.sqrt(4 * size), 1 / np.sqrt(2 * size)))


SIGNALS: Mapping[str, Callable[..., Any]] = {
    "math.angle": lambda input: np.angle(array(input)),
    "math.imag": lambda input: np.imag(array(input)),
    "math.real": lambda input: np.real(array(input)),
    "signal.dct": _cosine_transform,
    "signal.fft": lambda input: np.fft.fft(array(input)),
    "signal.hamming_window": _cosine_window(0.54),
    "signal.hann_window": _cosine_window(0.5),
    "signal.rfft": _real_transform,
    "signal.stft": _short_time,
}
