"""Formats an expression as readable Python: `lambda x: K.l2_normalize(x, axis=1)`."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from transforms.lambda_functions.listed_functions import LISTED
from transforms.lambda_functions.operators import OPERATOR
from transforms.lambda_functions.trace import Trace
from transforms.records.expression import Ref, refs_in

_MOST_LINES = 40
_MOST_CHARACTERS = 160
_MOST_NESTED = 40

#: Operators by precedence.
_BINDING = {
    "**": 8,
    "*": 6,
    "/": 6,
    "//": 6,
    "%": 6,
    "@": 6,
    "+": 5,
    "-": 5,
    "&": 4,
    "^": 3,
    "|": 2,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 1),
}
_UNARY_BINDING, _ATOM = 7, 9


class Writer:
    """Writes the steps of a trace.

    Args:
        trace: the recorded steps, possibly up to a refusal.
        inputs: names of the inputs.
        outputs: results; only their steps are written. None writes all.
    """

    def __init__(self, trace: Trace, inputs: Sequence[str], outputs: Sequence[Ref] | None) -> None:
        self._trace = trace
        self._inputs = inputs
        self._names: dict[int, str] = {}
        shown = self._needed(outputs)
        uses = Counter(ref["result"] for index in shown for ref in self._operands(index))
        uses.update(ref["result"] for ref in outputs or () if "result" in ref)
        self._lines = self._named(sorted(shown), uses)
        taken = Counter(inputs)
        for index in self._lines:
            self._names[index] = _unused(trace.variables.get(index, "y"), taken)

    def _named(self, shown: Sequence[int], uses: Mapping[int, int]) -> list[int]:
        """The steps with a line of their own: used more than once, with a name, or nested too deep for one line."""
        depths: dict[int, int] = {}
        for index in shown:
            depth = 1 + max((depths.get(ref["result"], 0) for ref in self._operands(index)), default=0)
            if uses[index] <= 1 and index not in self._trace.variables and depth < _MOST_NESTED:
                depths[index] = depth
        return [index for index in shown if index not in depths]

    def _needed(self, outputs: Sequence[Ref] | None) -> set[int]:
        if outputs is None:
            return set(range(len(self._trace.steps)))
        needed: set[int] = set()
        pending = [ref["result"] for ref in outputs if "result" in ref]
        while pending:
            index = pending.pop()
            if index not in needed:
                needed.add(index)
                pending.extend(ref["result"] for ref in self._operands(index))
        return needed

    def _operands(self, index: int) -> list[Ref]:
        """The results that a step uses."""
        return [ref for ref in refs_in(list(self._trace.steps[index].arguments.values())) if "result" in ref]

    def statements(self) -> list[str]:
        """One assignment for each result that has a name or is used more than once."""
        return [f"{self._names[index]} = {self._step(index)[0]}" for index in self._lines[:_MOST_LINES]]

    def value(self, value: Any) -> str:
        """An argument or an output."""
        return self._value(value)[0]

    def _value(self, value: Any) -> tuple[str, int]:
        """Its text and precedence."""
        if isinstance(value, list):
            return f"[{', '.join(map(self.value, value[:8]))}{', ...' if len(value) > 8 else ''}]", _ATOM
        if isinstance(value, Mapping):
            return self._reference(value)
        text = repr(value)
        if isinstance(value, float) and len(text) > 12:
            text = f"{value:.9g}"
        return text[:80], _UNARY_BINDING if text.startswith("-") else _ATOM

    def _reference(self, value: Mapping[str, Any]) -> tuple[str, int]:
        if "input" in value:
            return self._inputs[value["input"]], _ATOM
        if "mask" in value:
            return "mask" if len(self._inputs) == 1 else f"mask[{value['mask']}]", _ATOM
        if "dtype_of" in value:
            return f"{self.value(value['dtype_of'])}.dtype", _ATOM
        if "result" in value:
            index = value["result"]
            text, binding = (self._names[index], _ATOM) if index in self._names else self._step(index)
            return (
                (f"{_wrapped(text, binding, _ATOM)}[{value['output']}]", _ATOM)
                if "output" in value
                else (text, binding)
            )
        if "class_name" in value:
            return "...", _ATOM
        return self._slice(value), _ATOM

    def _slice(self, value: Mapping[str, Any]) -> str:
        start, stop, step = (
            "" if value.get(key) is None else self.value(value[key]) for key in ("start", "stop", "step")
        )
        return f"{start}:{stop}" + (f":{step}" if step else "")

    def _step(self, index: int) -> tuple[str, int]:
        step, written = self._trace.steps[index], self._trace.written[index]
        arguments = step.arguments
        if step.function == "__operators__.getitem":
            spec = arguments["slice_spec"]
            parts = spec if isinstance(spec, list) else [spec]
            text, binding = self._value(arguments["tensor"])
            return f"{_wrapped(text, binding, _ATOM)}[{', '.join(map(self.value, parts))}]", _ATOM
        if step.function.startswith(OPERATOR):
            return self._operator(written.removeprefix("python-2-"), arguments)
        names = LISTED[step.function].parameters
        parts = []
        for place, (name, value) in enumerate(arguments.items()):
            plain = place == 0 or (place == 1 and names[1:2] == (name,) and _is_tensor(value))
            parts.append(self.value(value) if plain else f"{name}={self.value(value)}")
        return f"{written}({', '.join(parts)})", _ATOM

    def _operator(self, symbol: str, arguments: Mapping[str, Any]) -> tuple[str, int]:
        if "y" not in arguments:
            text, binding = self._value(arguments["x"])
            return f"{symbol}{_wrapped(text, binding, _UNARY_BINDING)}", _UNARY_BINDING
        own = _BINDING[symbol]
        (left, left_binding), (right, right_binding) = self._value(arguments["x"]), self._value(arguments["y"])
        return f"{_wrapped(left, left_binding, own)} {symbol} {_wrapped(right, right_binding, own + 1)}", own


def _wrapped(text: str, binding: int, wanted: int) -> str:
    return text if binding >= wanted else f"({text})"


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and "dtype_of" not in value and bool(value.keys() & {"input", "mask", "result"})


def _unused(name: str, taken: Counter[str]) -> str:
    """A new name: the name itself, else with the next number that is free."""
    plain = name if name.isidentifier() and not keyword.iskeyword(name) else "y"
    candidate = plain
    while candidate in taken:
        taken[plain] += 1
        candidate = f"{plain}_{taken[plain]}"
    taken[candidate] = 1
    return candidate


def shortened(text: str) -> str:
    """The line, shortened for display."""
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 4]} ..."
