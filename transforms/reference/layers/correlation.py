"""Correlation over spatial axes: the sum behind every convolution layer.

Arrays are channels last. A window of shape K at stride s and dilation d reads, for output position p and window
offset k, the input position p * s + k * d of an input that is already padded:

    y[n, p, f] = sum over k, c of  x[n, p*s + k*d, c] * w[k, c, f]

The sum runs over the offsets k; each term is one matrix product, so the work is done by BLAS and no window is copied
more than once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from transforms.reference.layer_call import Array, NotCovered

Sizes = tuple[int, ...]
#: Elements added before and after each spatial axis; a negative amount after the axis crops it.
Pads = tuple[tuple[int, int], ...]


def extent(window: int, dilation: int) -> int:
    """The number of input positions that a dilated window spans: (k - 1) * d + 1."""
    return (window - 1) * dilation + 1


def output_lengths(lengths: Sequence[int], window: Sizes, strides: Sizes, dilation: Sizes) -> Sizes:
    """floor((n - extent) / s) + 1 on each axis. Raises NotCovered if the window does not fit in the input."""
    outputs = tuple((n - extent(k, d)) // s + 1 for n, k, s, d in zip(lengths, window, strides, dilation, strict=True))
    if any(length < 1 for length in outputs):
        raise NotCovered(f"a window of {list(window)} does not fit in an input of {list(lengths)} positions")
    return outputs


def pad(x: Array, pads: Pads, value: float = 0.0) -> Array:
    """Pads the spatial axes (all but the first and the last) of a channels-last array."""
    if any(after < 0 for _, after in pads):
        stops = [length + min(after, 0) for length, (_, after) in zip(x.shape[1:-1], pads, strict=True)]
        x = x[(slice(None), *(slice(stop) for stop in stops))]
    widths = [(0, 0), *((before, max(after, 0)) for before, after in pads), (0, 0)]
    return np.pad(x, widths, constant_values=value) if any(map(any, widths)) else x


def shifted(x: Array, window: Sizes, strides: Sizes, dilation: Sizes) -> Iterator[tuple[Sizes, Array]]:
    """For each offset of the window, the offset and the view of x that it reads, one element per output position."""
    lengths = output_lengths(x.shape[1:-1], window, strides, dilation)
    for offset in np.ndindex(*window):
        starts = [k * d for k, d in zip(offset, dilation, strict=True)]
        spatial = tuple(
            slice(start, start + (length - 1) * s + 1, s)
            for start, length, s in zip(starts, lengths, strides, strict=True)
        )
        yield offset, x[(slice(None), *spatial)]


def correlate(x: Array, kernel: Array, strides: Sizes, dilation: Sizes, groups: int = 1) -> Array:
    """Correlates x (n, *spatial, c) with kernel (*window, c / groups, f) at every position where it fits.

    With groups, the channels and the filters are cut into `groups` equal runs, and run g of the filters reads run g
    of the channels (Keras documentation of `groups`, TensorFlow 2.3 and later).
    """
    if groups > 1:
        parts = zip(np.split(x, groups, axis=-1), np.split(kernel, groups, axis=-1), strict=True)
        return np.concatenate([correlate(part, filters, strides, dilation) for part, filters in parts], axis=-1)
    window = kernel.shape[:-2]
    lengths = output_lengths(x.shape[1:-1], window, strides, dilation)
    y = np.zeros((x.shape[0], *lengths, kernel.shape[-1]))
    for offset, view in shifted(x, window, strides, dilation):
        y += np.tensordot(view, kernel[offset], axes=1)
    return y


def correlate_depthwise(x: Array, kernel: Array, strides: Sizes, dilation: Sizes) -> Array:
    """Correlates each channel of x (n, *spatial, c) with its own m filters: kernel (*window, c, m).

    Output channel c * m + j is filter j of channel c:  y[n, p, c*m + j] = sum over k of x[n, p*s + k*d, c] w[k, c, j].
    """
    window, (channels, multiplier) = kernel.shape[:-2], kernel.shape[-2:]
    lengths = output_lengths(x.shape[1:-1], window, strides, dilation)
    y = np.zeros((x.shape[0], *lengths, channels, multiplier))
    for offset, view in shifted(x, window, strides, dilation):
        y += view[..., np.newaxis] * kernel[offset]
    return y.reshape(x.shape[0], *lengths, channels * multiplier)


def scatter(x: Array, kernel: Array, strides: Sizes, dilation: Sizes) -> Array:
    """The transpose of `correlate`: x (n, *spatial, c) spread by kernel (*window, f, c), nothing cropped.

    y[n, p*s + k*d, f] = sum over the pairs p, k that meet there, and over c, of  x[n, p, c] * w[k, f, c]

    so that an axis of length n becomes (n - 1) * s + extent.
    """
    window, lengths = kernel.shape[:-2], x.shape[1:-1]
    sizes = [(n - 1) * s + extent(k, d) for n, k, s, d in zip(lengths, window, strides, dilation, strict=True)]
    y = np.zeros((x.shape[0], *sizes, kernel.shape[-2]))
    for offset in np.ndindex(*window):
        spatial = tuple(
            slice(k * d, k * d + (n - 1) * s + 1, s)
            for k, d, n, s in zip(offset, dilation, lengths, strides, strict=True)
        )
        y[(slice(None), *spatial)] += np.tensordot(x, kernel[offset].T, axes=1)
    return y


def rotate(kernel: Array, rank: int) -> Array:
    """The kernel rotated by 180 degrees over its leading `rank` axes: w'[k] = w[K - 1 - k]."""
    return kernel[(slice(None, None, -1),) * rank]
