"""Expressions that stored functions are translated to: steps over tensors, each one call of a listed function.

Arguments are plain JSON values. References among them are: `{"input": i}`, `{"mask": i}` (the mask of
input i), `{"result": i}` (of step i), `{"result": i, "output": k}` (one of several results of it), and
`{"dtype_of": tensor}`. Slices are `{"start", "stop", "step"}`, the ellipsis is `{"class_name": "__ellipsis__"}`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from transforms.records.inspection import Shape

#: A tensor among arguments and outputs.
Ref: TypeAlias = Mapping[str, Any]

_REFERRING = frozenset({"input", "mask", "result"})

#: Config key of a Lambda layer that has been translated: its `Translation`.
TRANSLATION = "translation"

#: Config key of a Lambda that is called with a list, even of one tensor.
AS_LIST = "inputs_as_list"

#: Config key of a Lambda whose inputs are followed by the masks of those that bear one.
MASKS_AS_INPUTS = "masks_as_inputs"


@dataclass(frozen=True)
class Step:
    """One call of a listed function: its name there, and its arguments by parameter."""

    function: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class Expression:
    """A function of tensors.

    Attributes:
        steps: in the order of their computation; each refers to inputs and to steps before it.
        outputs: the tensors that it returns.
    """

    steps: tuple[Step, ...]
    outputs: tuple[Ref, ...]


@dataclass(frozen=True)
class Variant:
    """The expression of a function for inputs of certain shapes, with masks or without.

    Attributes:
        shapes: of the inputs, None if unknown.
        by_shape: whether an extent is part of the expression, which is then valid only for these shapes.
        masked: which inputs have a mask.
        expression: of the function for these inputs.
        results: shapes of the results, None if unknown.
        mask: of the first result, if the layer computes one; without outputs if that is None.
    """

    shapes: tuple[Shape | None, ...]
    by_shape: bool
    masked: tuple[bool, ...]
    expression: Expression
    results: tuple[Shape | None, ...] = ()
    mask: Expression | None = None

    @property
    def bears_mask(self) -> bool:
        """Whether its first result has a mask."""
        return self.mask is not None and bool(self.mask.outputs)

    def fits(self, shapes: tuple[Shape, ...], masked: tuple[bool, ...]) -> bool:
        """Whether the variant applies to inputs of these shapes, as far as known, and with these masks."""
        if masked != self.masked or len(shapes) != len(self.shapes):
            return False
        pairs = zip(self.shapes, shapes, strict=True)
        return not self.by_shape or all(mine is None or _agree(mine, given) for mine, given in pairs)

    def meant_for(self, shapes: tuple[Shape | None, ...]) -> bool:
        """Whether it was translated for inputs of exactly these shapes without masks."""
        return shapes == self.shapes and not any(self.masked)


def _agree(mine: Shape, given: Shape) -> bool:
    return len(mine) == len(given) and all(a is None or b is None or a == b for a, b in zip(mine, given, strict=True))


@dataclass(frozen=True)
class Translation:
    """A stored function as data.

    Attributes:
        text: the function as readable Python.
        variants: one for each kind of input in the model.
        assumed: assumed meanings of names that the file does not define, e.g. "K is keras.backend".
        by_mask: whether masks of the inputs matter, of which each combination that is followed has a variant.
        on_tensorflow_1: the function as TensorFlow 1 computes it, if that differs and the file may be of it.
    """

    text: str
    variants: tuple[Variant, ...]
    assumed: tuple[str, ...]
    by_mask: bool = False
    on_tensorflow_1: Translation | None = None

    @property
    def one_line(self) -> str:
        """The text in one line of valid Python: `def f(x): y = x * 2; return y`."""
        code = [line.strip() for line in self.text.splitlines() if not line.startswith("#")]
        notes = [line for line in self.text.splitlines() if line.startswith("#")]
        if len(code) > 1:
            code = [f"{code[0]} {'; '.join(code[1:])}"]
        return "  ".join([*code, *notes])

    def variant(self, shapes: tuple[Shape, ...], masked: tuple[bool, ...]) -> Variant | None:
        """The variant for such inputs, None if the function was not translated for them."""
        return next((each for each in self.variants if each.fits(shapes, masked)), None)


def refs_in(value: Any) -> Iterator[Ref]:
    """Every tensor within an argument."""
    if isinstance(value, list):
        for item in value:
            yield from refs_in(item)
    elif isinstance(value, Mapping):
        if value.keys() & _REFERRING:
            yield value
        else:
            for item in value.values():
                yield from refs_in(item)


def needed_steps(steps: tuple[Step, ...], outputs: tuple[Ref, ...]) -> Expression:
    """The expression without steps that no output depends on."""
    needed: set[int] = set()
    pending = [ref["result"] for ref in outputs if "result" in ref]
    while pending:
        index = pending.pop()
        if index not in needed:
            needed.add(index)
            pending.extend(ref["result"] for ref in refs_in(list(steps[index].arguments.values())) if "result" in ref)
    places = {index: place for place, index in enumerate(sorted(needed))}
    kept = tuple(Step(steps[index].function, _moved(steps[index].arguments, places)) for index in sorted(needed))
    return Expression(kept, tuple(_moved(ref, places) for ref in outputs))


def _moved(value: Any, places: Mapping[int, int]) -> Any:
    if isinstance(value, list):
        return [_moved(item, places) for item in value]
    if not isinstance(value, Mapping):
        return value
    if "result" in value:
        return {**value, "result": places[value["result"]]}
    return {key: _moved(item, places) for key, item in value.items()}
