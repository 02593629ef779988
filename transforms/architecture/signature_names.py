"""Names of a model's inputs and outputs in the signature.

An input is named after its layer, with `_` for each character that a Python argument may not hold, and `input_` in
front of what does not begin with a letter or means something in Python (`1st`, `lambda`, `self`). An output is named
after its layer as it is. The second of a name gets `_1`, the third `_2`.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from transforms.architecture.graph import Graph


def input_names(graph: Graph) -> tuple[str, ...]:
    """Names of the inputs, legal as arguments and unique, in the model's order."""
    return unique_names(argument_name(ref.layer) for ref in graph.inputs)


def output_names(graph: Graph) -> tuple[str, ...]:
    """Names of the outputs, unique, in the model's order."""
    return unique_names(ref.layer for ref in graph.outputs)


def argument_name(layer_name: str) -> str:
    """The layer's name where a signature argument may bear it, else with `_` for what it may not hold."""
    name = re.sub(r"[^0-9A-Za-z_]", "_", layer_name)
    taken = keyword.iskeyword(name) or name == "self"  # a Python function could not be called with it
    return name if re.match(r"[A-Za-z]", name) and not taken else f"input_{name}"


def unique_names(names: Iterable[str]) -> tuple[str, ...]:
    """Names made unique as Keras does: the second `lstm` becomes `lstm_1`."""
    found: list[str] = []
    for name in names:
        candidate, number = name, 1
        while candidate in found:
            candidate, number = f"{name}_{number}", number + 1
        found.append(candidate)
    return tuple(found)
