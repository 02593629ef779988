"""Inputs: integer ids, padded sequences and real arrays."""

import numpy as np


class Feed:
    """How to draw one model input. A None in `shape` is a free time axis; `pages` pad the last axis, not the first."""

    def __init__(self, shape: "tuple[int | None, ...]", vocabulary: int = 0, pad: str = "", pad_value: float = 0.0):
        self.shape = shape
        self.vocabulary = vocabulary
        self.pad = pad
        self.pad_value = pad_value

    def draw(self, rng: np.random.RandomState, batch: int, time: int) -> np.ndarray:
        shape = (batch,) + tuple(time if side is None else side for side in self.shape)
        if self.vocabulary:
            values = rng.randint(1 if self.pad else 0, self.vocabulary, shape).astype("float32")
        else:
            values = rng.normal(0, 1, shape).astype("float32")
        if self.pad == "pages":
            for row in values.reshape(-1, shape[-1]):
                row[padded_steps(rng, shape[-1], "right")] = 0
        elif self.pad:
            for row in values:
                row[padded_steps(rng, shape[1], self.pad)] = self.pad_value
        return values.astype("int32") if self.vocabulary else values


class Words:
    """Text: words of a vocabulary, the empty word, and words that it lacks."""

    CHOICE = ["", "the", "caf\u00e9", "a", "of", "two words", "strange", "\u00e9t\u00e9", "[UNK]"]

    def __init__(self, shape: "tuple[int, ...]"):
        self.shape = shape

    def draw(self, rng: np.random.RandomState, batch: int, time: int) -> np.ndarray:
        return np.array(self.CHOICE)[rng.randint(0, len(self.CHOICE), (batch,) + self.shape)]


def words(*shape: int) -> Words:
    return Words(shape)


def padded_steps(rng: np.random.RandomState, time: int, pad: str) -> np.ndarray:
    """Which steps of one sequence are padding; at least one step is real."""
    kind = ["right", "left", "middle", "none"][rng.randint(4)] if pad == "mixed" else pad
    steps = np.zeros(time, bool)
    count = rng.randint(0, max(1, time - 1)) if kind != "none" else 0
    if kind == "right":
        steps[time - count :] = True
    elif kind == "left":
        steps[:count] = True
    elif kind == "middle" and time > 2:
        steps[1 + rng.choice(time - 2, min(count, time - 2), replace=False)] = True
    return steps


def ids(vocabulary: int, time: "int | None" = 7, pad: str = "") -> Feed:
    return Feed((time,), vocabulary, pad)


def real(*shape: "int | None") -> Feed:
    return Feed(shape)


def padded(time: "int | None", features: int, pad: str, value: float = 0.0) -> Feed:
    return Feed((time, features), pad=pad, pad_value=value)
