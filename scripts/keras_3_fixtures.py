"""Writes the fixtures of Keras 3, with the Keras 3 that TensorFlow installs, and their rows in fixtures.csv.

python scripts/keras_3_fixtures.py --out tests/fixtures
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import keras
import numpy as np
from keras import layers, ops

Feed = Callable[[np.random.Generator, int, int], np.ndarray[Any, Any]]


def padded(width: int) -> Feed:
    """Sequences with masked steps at the end, at the start and in the middle."""

    def feed(rng: np.random.Generator, size: int, length: int) -> np.ndarray[Any, Any]:
        x = rng.normal(size=(size, length, width)).astype("float32")
        x[0, -2:], x[1, :2], x[2, 2] = 0.0, 0.0, 0.0
        return x

    return feed


def ids(vocabulary: int) -> Feed:
    """Ids, padded with 0."""

    def feed(rng: np.random.Generator, size: int, length: int) -> np.ndarray[Any, Any]:
        x = rng.integers(1, vocabulary, size=(size, length)).astype("float32")
        x[0, -1:], x[2, 1] = 0.0, 0.0
        return x

    return feed


def vector(width: int) -> Feed:
    """Vectors."""
    return lambda rng, size, length: rng.normal(size=(size, width)).astype("float32")


def image(rng: np.random.Generator, size: int, length: int) -> np.ndarray[Any, Any]:
    """Images of 9 by 8."""
    return rng.normal(size=(size, 9, 8, 3)).astype("float32")


def masked_merges() -> keras.Model:
    """Merge layers under two masks, attention, and a recurrent layer whose given states hide the mask from it."""
    x, tokens = layers.Input((None, 4), name="x"), layers.Input((None,), name="tokens")
    a, b = layers.Masking()(x), layers.Embedding(9, 4, mask_zero=True)(tokens)
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True))(layers.Add()([a, b]))
    product = layers.Multiply()([a, layers.Dense(4)(b)])
    joint = layers.Concatenate()([both, product])
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True)(joint)
    decoded = layers.LSTM(3, return_sequences=True)(a, initial_state=[h, c])
    pooled = layers.GlobalAveragePooling1D()(layers.Attention()([decoded, y]))
    return keras.Model([x, tokens], [pooled, product])


def hard_sigmoid() -> keras.Model:
    """The hard sigmoid of Keras 3 in gates and behind layers, and other activations that tf-keras lacks."""
    x = layers.Input((None, 4), name="x")
    y = layers.Bidirectional(layers.LSTM(3, recurrent_activation="hard_sigmoid", return_sequences=True))(x)
    y = layers.TimeDistributed(layers.Dense(4, activation="hard_sigmoid"))(y)
    z = layers.Conv1D(4, 3, padding="same", activation="hard_silu")(x)
    y = layers.GRU(3, recurrent_activation="hard_sigmoid")(layers.Add()([y, z]))
    return keras.Model(x, layers.Dense(2, activation=layers.LeakyReLU(negative_slope=0.17))(y))


def shared_nested() -> keras.Model:
    """A nested model called twice whose first result is an output, a named mask, operations, a seeded Dropout."""
    x, weights = layers.Input((5,), name="x"), layers.Input((None,), name="weights")
    inner_x = layers.Input((5,))
    inner = keras.Model(inner_x, layers.Dropout(0.2, seed=3)(layers.Dense(5, activation="mish")(inner_x)), name="inner")
    first = inner(x)
    second = inner(2.0 * first + x)
    steps = layers.Dense(3)(ops.expand_dims(weights, -1))
    pooled = layers.GlobalAveragePooling1D()(steps, mask=ops.not_equal(weights, 0.0))
    return keras.Model([x, weights], [first, layers.Concatenate()([second, pooled])])


def multi_head() -> keras.Model:
    """MultiHeadAttention under the masks of its inputs, with scores, over several axes, and statistics before it."""
    x, tokens = layers.Input((None, 4), name="x"), layers.Input((None,), name="tokens")
    a, b = layers.Masking()(x), layers.Embedding(9, 3, mask_zero=True)(tokens)
    own = layers.MultiHeadAttention(2, 3)(a, a, use_causal_mask=True)
    crossed = layers.MultiHeadAttention(2, 2, value_dim=3, output_shape=5, use_bias=False)(own, value=b)
    _, scores = layers.MultiHeadAttention(2, 2, dropout=0.1)(x, x, x, return_attention_scores=True)
    statistics = layers.Normalization()
    statistics.adapt(np.random.default_rng(1).normal(30.0, 4.0, (40, 7, 4)).astype("float32"))
    normal = layers.Reshape((1, 1, 4))(layers.GlobalMaxPooling1D()(statistics(x)))
    wide = layers.MultiHeadAttention(1, 2)(normal, normal)
    return keras.Model([x, tokens], [layers.LSTM(3)(crossed), layers.GlobalMaxPooling1D()(own), scores, wide])


def pictures() -> keras.Model:
    """Augmentation, sizes of images, and categories."""
    x = layers.Input((9, 8, 3), name="x")
    y = layers.RandomContrast(0.1)(layers.RandomFlip("horizontal")(layers.RandomRotation(0.1)(x)))
    y = layers.CenterCrop(6, 5)(layers.Resizing(8, 11)(layers.Rescaling(0.5, offset=0.1)(y)))
    return keras.Model(x, layers.Conv2D(2, 3)(y))


FIXTURES: tuple[tuple[Callable[[], keras.Model], tuple[Feed, ...], str], ...] = (
    (masked_merges, (padded(4), ids(9)), "masking embedding bidirectional merges attention initial_state"),
    (hard_sigmoid, (padded(4),), "hard_sigmoid lstm gru bidirectional time_distributed conv1d leaky_relu"),
    (shared_nested, (vector(5), ids(4)), "nested shared operations named_mask dropout_seed multi_output"),
    (multi_head, (padded(4), ids(9)), "multiheadattention mask causal scores normalization"),
    (pictures, (image,), "augmentation resizing centercrop rescaling conv2d"),
)


def write(folder: Path, build: Callable[[], keras.Model], feeds: tuple[Feed, ...]) -> None:
    """Writes one model with drawn weights, and its outputs for two batches."""
    rng = np.random.default_rng(3)
    model = build()
    for weight in model.weights:
        if weight.name not in ("mean", "variance", "count", "seed_generator_state"):
            weight.assign(rng.normal(scale=0.6, size=weight.shape))
    held: dict[str, np.ndarray[Any, Any]] = {}
    for prefix, size, length in (("", 4, 6), ("alt_", 3, 9)):
        inputs = [feed(rng, size, length) for feed in feeds]
        outputs = keras.tree.flatten(model(inputs if len(inputs) > 1 else inputs[0], training=False))
        held.update({f"{prefix}x{index}": x for index, x in enumerate(inputs)})
        held.update({f"{prefix}y{index}": np.asarray(y) for index, y in enumerate(outputs)})
    model.save(folder / f"{build.__name__}.h5")
    np.savez_compressed(folder / f"{build.__name__}.npz", **held)


def main() -> None:
    """Writes files and rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    producer = f"keras-{keras.__version__}"
    (out / producer).mkdir(exist_ok=True)
    with (out / "fixtures.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.reader(stream) if not row[0].startswith("keras-3.")]
    for build, feeds, features in FIXTURES:
        write(out / producer, build, feeds)
        name = f"{producer}/{build.__name__}"
        rows.append([name, f"{name}.h5", f"{name}.npz", producer, features])
    with (out / "fixtures.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows([rows[0], *sorted(rows[1:])])


if __name__ == "__main__":
    main()
