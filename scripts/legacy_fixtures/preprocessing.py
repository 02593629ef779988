"""Preprocessing layers inside a model."""

import numpy as np

from .catalogue import fixture
from .feeds import Feed, ids, real


def _home(k):
    return k.layers.experimental.preprocessing if k.version < (2, 6) else k.layers


@fixture("tfkeras-2.3.4 tfkeras-2.8.4 tfkeras-2.15.1", "normalization rescaling", real(3), real(4, 3))
def normalized(k):
    home, rng = _home(k), np.random.RandomState(3)
    x, y = k.Input((3,), name="x"), k.Input((4, 3), name="y")
    adapted, scalar = home.Normalization(), home.Normalization(axis=None)
    adapted.adapt(rng.normal([2000.0, 0.1, -3.0], [15.0, 0.01, 2.0], (50, 3)).astype("float32"))
    scalar.adapt(rng.normal(3.0, 2.0, (20, 4, 3)).astype("float32"))
    found = [adapted(x), k.Flatten()(scalar(y)), k.Flatten()(home.Rescaling(1 / 127.5, offset=-1.0)(y))]
    if k.version >= (2, 6):
        found.append(home.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 0.0, 4.0])(x))
    if k.version >= (2, 15):
        inverted = home.Normalization(axis=(1, 2), invert=True)
        inverted.adapt(rng.normal(1.0, 2.0, (20, 4, 3)).astype("float32"))
        found.append(k.Flatten()(inverted(y)))
    return k.Model([x, y], [k.Dense(2)(k.layers.Concatenate()(found)), k.layers.Concatenate()(found)])


@fixture("tfkeras-2.3.4 tfkeras-2.8.4 tfkeras-2.15.1", "augmentation resizing centercrop conv2d", real(9, 8, 3))
def augmented(k):
    home = _home(k)
    x = k.Input((9, 8, 3))
    y = home.RandomFlip("horizontal")(home.RandomRotation(0.1)(home.RandomZoom(0.2)(x)))
    y = home.RandomContrast(0.1)(home.RandomTranslation(0.1, 0.1)(y))
    y = home.CenterCrop(6, 5)(home.Resizing(8, 11)(y))
    small = home.Resizing(4, 4, interpolation="nearest")(y)
    return k.Model(x, [k.Conv2D(2, 3)(y), k.Flatten()(small)])


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "integerlookup categoryencoding discretization", ids(9, 5), real(1))
def categories(k):
    tokens, x = k.Input((5,), dtype="int64", name="tokens"), k.Input((1,), name="x")
    words = [3, 1, 4, 8]
    embedded = k.Embedding(6, 3)(k.layers.IntegerLookup(vocabulary=words, mask_token=None)(tokens))
    found = [k.layers.CategoryEncoding(num_tokens=9, output_mode=mode)(tokens) for mode in ("multi_hot", "count")]
    found.append(k.layers.IntegerLookup(vocabulary=words, num_oov_indices=2, output_mode="multi_hot")(tokens))
    found.append(k.layers.IntegerLookup(vocabulary=words, mask_token=0, output_mode="count")(tokens))
    found.append(k.layers.Discretization(bin_boundaries=[-0.7, 0.0, 0.5], output_mode="one_hot")(x))
    back = k.layers.IntegerLookup(vocabulary=words, invert=True)(tokens)
    return k.Model([tokens, x], [k.LSTM(2)(embedded), k.layers.Concatenate()(found), back])


@fixture("tfkeras-2.8.4 tfkeras-2.15.1", "randomcrop resizing crop_to_aspect_ratio bicubic", real(9, 8, 3))
def cropped(k):
    x = k.Input((9, 8, 3))
    found = [k.layers.RandomCrop(6, 4)(x), k.layers.RandomCrop(11, 10)(x), k.layers.Resizing(5, 12, crop_to_aspect_ratio=True)(x)]
    found += [k.layers.Resizing(7, 13, interpolation="bicubic")(x), k.layers.Resizing(4, 3, interpolation="area")(x)]
    return k.Model(x, k.layers.Concatenate()([k.Flatten()(each) for each in found]))
