"""The batches for validating a model: those given with the row, and drawn ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS, Limits
from transforms.records.input_domain import InputDomain
from transforms.records.staged_model import text_as_bytes
from transforms.source.npz import NpzFile

Array = npt.NDArray[Any]

_NAMES_SHOWN = 200
_NUMBERED = re.compile(r"[xyXY][0-9]+")


@dataclass(frozen=True)
class SampleBatch:
    """Inputs in the order of the model's inputs and, where known, expected outputs in the order of its outputs.

    Attributes:
        inputs: one array per input, batch first.
        expected: golden outputs, or None.
        origin: of the batch, for messages.
        warnings: arrays of the operator's file that were not used.
    """

    inputs: tuple[Array, ...]
    expected: tuple[Array, ...] | None
    origin: str
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Number of sample rows."""
        return len(self.inputs[0]) if self.inputs else 0


def read_samples(
    path: Path, input_names: Sequence[str], output_names: Sequence[str], limits: Limits = DEFAULT_LIMITS
) -> SampleBatch:
    """Reads an .npz with `x0, x1, ...` or arrays by input name, and optionally `y0, ...` or arrays by output name.

    Raises:
        MigrationError: `invalid_samples` when the file is not an .npz of plain arrays, an input is missing, the batch
            sizes differ, nothing in it can be compared, or a name looks mistyped; `over_budget`, `unsafe_storage`,
            `source_missing`.
    """
    with NpzFile(path, limits) as archive:
        inputs = _by_name_or_number(archive.names, input_names, "x")
        outputs = _by_name_or_number(archive.names, output_names, "y")
        if inputs is None:
            there = ", ".join(sorted(archive.names))[:_NAMES_SHOWN]
            raise _invalid(f"it has {there!a}; the model's inputs are {', '.join(input_names)}")
        unused = _unused(archive.names, [*inputs, *(outputs or ())], [*input_names, *output_names])
        arrays = {name: text_as_bytes(array) for name, array in archive.read([*inputs, *(outputs or ())]).items()}
    strange = [name for name, array in arrays.items() if array.dtype.kind not in "fiubS"]
    if strange:
        raise _invalid(f"{', '.join(strange)} holds neither numbers nor text")
    given = tuple(arrays[name] for name in inputs)
    if len({len(x) for x in given if x.ndim}) != 1 or any(x.ndim == 0 for x in given):
        raise _invalid("its inputs differ in batch size")
    expected = None if outputs is None else tuple(arrays[name] for name in outputs)
    _refuse_nothing_to_compare({name: arrays[name] for name in (*inputs, *(outputs or ()))})
    warnings = (f"Arrays of the samples were not used: {', '.join(unused)[:_NAMES_SHOWN]!a}.",) if unused else ()
    return SampleBatch(given, expected, f"samples of {path.name}", warnings)


def _unused(present: Sequence[str], used: Sequence[str], known: Sequence[str]) -> list[str]:
    """Arrays that nothing is called after.

    Raises MigrationError `invalid_samples` where one is called almost like an input or output, or like a further one:
    with it left out, less would be compared than its author meant.
    """
    unused = [name for name in present if name not in used]
    alike = {name.casefold() for name in known}
    meant = [name for name in unused if _NUMBERED.fullmatch(name) or name.casefold() in alike]
    if meant:
        raise _invalid(f"its {meant[0][:_NAMES_SHOWN]!a} is no input or output of the model, or one given already")
    return unused


def _refuse_nothing_to_compare(arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        if not array.size:
            raise _invalid(f"{name[:_NAMES_SHOWN]!a} holds nothing")
        if array.dtype.kind == "f" and not np.isfinite(array).any():
            raise _invalid(f"{name[:_NAMES_SHOWN]!a} holds no finite number")


def _by_name_or_number(present: Sequence[str], names: Sequence[str], letter: str) -> list[str] | None:
    numbered = [f"{letter}{index}" for index in range(len(names))]
    return next((keys for keys in (numbered, list(names)) if set(keys) <= set(present)), None)


def _invalid(detail: str) -> MigrationError:
    return MigrationError(
        Reason.INVALID_SAMPLES,
        f"The samples file does not fit the model: {detail}",
        advice="Save inputs as x0, x1, ... (and outputs as y0, y1, ...) with numpy.savez.",
    )


def draw_batch(
    shapes: Sequence[Sequence[int | None]],
    dtypes: Sequence[str],
    domains: Sequence[InputDomain],
    length: int,
    size: int,
    seed: int,
) -> SampleBatch:
    """A deterministic batch of valid inputs.

    Args:
        shapes: input shapes, batch axis first, None for free axes.
        dtypes: NumPy dtype names.
        domains: of the values of each input.
        length: extent of every free axis but the batch.
        size: batch size, unless an input fixes it for all.
        seed: of the generator.
    """
    generator = np.random.default_rng(seed)
    rows = next((shape[0] for shape in shapes if shape[0] is not None), size)
    inputs = []
    for shape, dtype, domain in zip(shapes, dtypes, domains, strict=True):
        extents = [rows, *(length if axis is None else axis for axis in shape[1:])]
        inputs.append(_drawn(generator, tuple(extents), dtype, domain))
    return SampleBatch(tuple(inputs), None, f"batch drawn with seed {seed}, free axes {length}")


def _drawn(generator: np.random.Generator, shape: tuple[int, ...], dtype: str, domain: InputDomain) -> Array:
    if domain.words or np.dtype(dtype).kind == "S":
        return _drawn_words(generator, shape, dtype, domain)
    if domain.vocabulary is not None:
        lowest = 1 if domain.pads_with is not None and domain.vocabulary > 1 else 0
        values: Array = generator.integers(lowest, domain.vocabulary, shape)
    elif np.dtype(dtype).kind in "iu":
        values = generator.integers(0, 10, shape)
    elif np.dtype(dtype).kind == "b":
        values = generator.integers(0, 2, shape)
    else:
        values = generator.standard_normal(shape)
    if domain.pads_with is not None and len(shape) > 1:
        _pad(values, domain.pads_with)
    return values.astype(dtype)


#: A word that no vocabulary contains.
_STRANGERS = ("", "a", "word", "another word", "-1", "7", "no word of any vocabulary at all, and rather long at that")


def _drawn_words(generator: np.random.Generator, shape: tuple[int, ...], dtype: str, domain: InputDomain) -> Array:
    """Words of the vocabulary and, if it has a place for them, others; or numbers that are such words."""
    if np.dtype(dtype).kind == "S":
        choice = np.array([*domain.words, *(() if domain.words_only else _STRANGERS)])
        return as_fed(choice[generator.integers(0, len(choice), shape)], dtype)
    numbers = [int(word) for word in domain.words]
    if not domain.words_only:
        numbers += [max(numbers) + step for step in (1, 2, 3)]
    if domain.vocabulary is not None:  # Another layer reads the same numbers as ids.
        below = range(domain.vocabulary)
        numbers = [number for number in numbers if number in below] or list(below[:1])
    return np.asarray(generator.choice(np.array(numbers), shape)).astype(dtype)


def as_fed(values: Any, dtype: str) -> Array:
    """An input cast to the signature's dtype. Raises MigrationError `invalid_samples` for text among numbers."""
    given = text_as_bytes(values)
    if (given.dtype.kind == "S") != (np.dtype(dtype).kind == "S"):
        raise _invalid(f"an input holds {given.dtype.name} where the model takes {dtype}")
    return given.astype(dtype, copy=False)


def _pad(values: Array, pads_with: float) -> None:
    """Pads rows in turn: not at all, at the end, at the start, in the middle. Every row keeps half of its steps."""
    steps = values.shape[1]
    half, quarter = steps // 2, steps // 4
    for row in range(len(values)):
        gap = ((0, 0), (steps - half, steps), (0, half), (quarter, quarter + half))[row % 4]
        values[row, gap[0] : gap[1]] = pads_with
