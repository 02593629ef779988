"""The closed list of functions over tensors that a stored function may call: only pure ones, one per row.

A row has the function's name, the family of its result's shape (`shapes.FAMILIES`) and its parameters in order, each
with its other names in some release. Functions of TensorFlow have the names of `architecture.function_signatures`,
which lists those that occur as layers; their names in TensorFlow 1 and 2 are in `tensorflow_names`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transforms.architecture.function_signatures import FUNCTIONS
from transforms.lambda_functions.backend_table import BACKEND
from transforms.lambda_functions.extents import ShapeRule, content_of
from transforms.lambda_functions.keras_3_table import ACTIVATIONS, OPS
from transforms.lambda_functions.shapes import FAMILIES, SEVERAL
from transforms.lambda_functions.tensorflow_table import TENSORFLOW, TENSORFLOW_FURTHER
from transforms.lambda_functions.trace import Trace
from transforms.lambda_functions.values import NamedResults, Refused, Tensor, Value


@dataclass(frozen=True)
class Listed:
    """A function of the list.

    Attributes:
        name: in steps.
        parameters: in order, with the names that steps use; one after `*` takes all remaining arguments.
        aliases: other names of parameters.
        shape: rule for its result's shape.
        several: True if it has several results.
    """

    name: str
    parameters: tuple[str, ...]
    aliases: Mapping[str, str]
    shape: ShapeRule
    several: bool = False


@dataclass(frozen=True)
class Called:
    """The interface of a listed function under one name: parameters by position, and their other names."""

    listed: Listed
    order: tuple[str, ...]
    aliases: Mapping[str, str]


#: Functions whose results have names, as fields of a named tuple.
RESULT_NAMES: Mapping[str, tuple[str, ...]] = {"math.top_k": ("values", "indices")}

#: Arguments that do not affect the result.
IDLE_ARGUMENTS = frozenset({"name", "validate_indices", "seed"})


def _rows(text: str, prefix: str) -> Iterator[tuple[str, Listed]]:
    for line in filter(None, text.split("\n")):
        name, family, *parameters = line.split()
        names = [parameter.split("|") for parameter in parameters]
        aliases = {other: first for first, *others in names for other in others}
        first_names = tuple(first for first, *_ in names)
        yield prefix + name, Listed(prefix + name, first_names, aliases, FAMILIES[family], family in SEVERAL)


def _tensorflow() -> Iterator[tuple[str, Listed]]:
    families = {name: family for family, names in TENSORFLOW.items() for name in names.split()}
    for name, parameters in FUNCTIONS.items():
        family = families.get(name, "-")
        yield name, Listed(name, parameters, {}, FAMILIES[family], family in SEVERAL)


#: Every function of the list, by its name in steps.
LISTED: Mapping[str, Listed] = {
    **dict(_tensorflow()),
    **dict(_rows(TENSORFLOW_FURTHER, "")),
    **dict(_rows(BACKEND, "keras.backend.")),
    **dict(_rows(OPS, "keras.ops.")),
    **dict(_rows(ACTIVATIONS, "keras.activations.")),
}


def shape_of_result(function: str, arguments: Mapping[str, Value]) -> Any:
    """The shape of a listed function's result, or a list of shapes if it has several; None if unknown."""
    try:
        return LISTED[function].shape(arguments)
    except (TypeError, ValueError, IndexError, KeyError, ZeroDivisionError, OverflowError, AttributeError):
        return None  # Arguments that do not fit are for the evaluations to refuse.


def bound(
    listed: Listed,
    written: str,
    order: Sequence[str],
    aliases: Mapping[str, str],
    args: Sequence[Value],
    kwargs: Mapping[str, Value],
) -> dict[str, Value]:
    """The arguments of a call by parameter.

    Args:
        listed: the function.
        written: its name in the function.
        order: the parameters by position.
        aliases: keyword names of parameters -> names that steps use.
        args: of the call, by position.
        kwargs: of the call, by name.

    Raises Refused for arguments that the function does not have.
    """
    star = next((place for place, name in enumerate(order) if name.startswith("*")), None)
    if star is not None:
        found = dict(zip(order[:star], args, strict=False))
        found[order[star][1:]] = list(args[star:])
    else:
        if len(args) > len(order):
            raise Refused(f"{written} with {len(args)} arguments")
        found = dict(zip(order, args, strict=False))
    for name, value in kwargs.items():
        parameter = aliases.get(name, name)
        if parameter in IDLE_ARGUMENTS:
            continue
        if parameter not in listed.parameters or parameter in found:
            raise Refused(f"{written} with the argument {name}")
        found[parameter] = value
    return {name: value for name, value in found.items() if name not in IDLE_ARGUMENTS}


def call_listed(trace: Trace, listed: Listed, written: str, arguments: Mapping[str, Value]) -> Value:
    """Records the call of a listed function: its result, or a tuple of them. Raises Refused."""
    ordered = {name: arguments[name] for name in (each.lstrip("*") for each in listed.parameters) if name in arguments}
    shape = shape_of_result(listed.name, ordered)
    if not listed.several:
        found = trace.step(listed.name, ordered, written, shape)
        content = content_of(listed.name.rpartition(".")[2], ordered)
        return found if content is None else Tensor(found.ref, found.shape, content)
    if shape is None:
        raise Refused(f"{written} into a number of parts that is not known here")
    for each in shape:
        trace.refuse_size(each, written)
    tensor = trace.step(listed.name, ordered, written)
    results = NamedResults(Tensor({**tensor.ref, "output": index}, each) for index, each in enumerate(shape))
    results.names = RESULT_NAMES.get(listed.name, ())
    return results
