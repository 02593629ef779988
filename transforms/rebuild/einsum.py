"""tf.einsum as transpositions around one matrix product: tf-keras cannot rebuild a bare einsum from its config."""

from __future__ import annotations

import string
from functools import reduce
from typing import Any

import tensorflow as tf


def einsum_as_matmul(equation: str, *tensors: Any) -> Any:
    """C[batch, m, n] = sum_k A[batch, m, k] B[batch, k, n], with the axes of A, B and C in any order.

    Any other equation without repeated labels becomes a summed product of broadcast tensors.

    Args:
        equation: with or without its output.
        tensors: the operands, symbolic.

    Raises ValueError for repeated labels within an operand, and for ellipses without an output.
    """
    terms, arrow, output = _without_dots(equation.replace(" ", ""), tensors).partition("->")
    first, _, second = terms.partition(",")
    batch = [label for label in output if label in first and label in second]
    rows = [label for label in first if label in output and label not in second]
    columns = [label for label in second if label in output and label not in first]
    summed = [label for label in first if label in second and label not in output]
    parts = (first, second, output)
    plain = arrow and len(tensors) == 2 and all(part.isalpha() and len(set(part)) == len(part) for part in parts)
    whole = len(first) == len(second) == len(output) == len(batch) + 2
    if not plain or not whole or not len(rows) == len(columns) == len(summed) == 1:
        return _summed_product(terms.split(","), output if arrow else None, tensors)
    product = tf.matmul(
        _with_axes(tensors[0], first, [*batch, *rows, *summed]),
        _with_axes(tensors[1], second, [*batch, *summed, *columns]),
    )
    return _with_axes(product, "".join([*batch, *rows, *columns]), list(output))


def _without_dots(equation: str, tensors: tuple[Any, ...]) -> str:
    """The equation with a label of its own for each axis that dots stand for, counted from the last."""
    terms, _, output = equation.partition("->")
    if "..." not in equation:
        return equation
    free = [label for label in string.ascii_uppercase if label not in equation]
    spelled, most = [], 0
    for term, tensor in zip(terms.split(","), tensors, strict=True):
        count = tensor.shape.rank - len(term.replace("...", "")) if "..." in term else 0
        most = max(most, count)
        spelled.append(term.replace("...", "".join(free[:count][::-1])))
    return f"{','.join(spelled)}->{output.replace('...', ''.join(free[:most][::-1]))}" if output else equation


def _summed_product(terms: list[str], output: str | None, tensors: tuple[Any, ...]) -> Any:
    """The product of the operands, each with an axis for every label (of length 1 if it lacks it), summed and
    transposed.
    """
    if len(terms) != len(tensors) or any(len(set(term)) != len(term) or not term.isalpha() for term in terms):
        raise ValueError(f"einsum of {terms}, which is not supported")
    labels = sorted(set("".join(terms)))
    if output is None:
        output = "".join(label for label in labels if sum(label in term for term in terms) == 1)
    wide = [_with_all_axes(tensor, term, labels) for tensor, term in zip(tensors, terms, strict=True)]
    product = reduce(tf.multiply, wide)
    summed = [index for index, label in enumerate(labels) if label not in output]
    found = tf.reduce_sum(product, axis=summed) if summed else product
    return _with_axes(found, "".join(label for label in labels if label in output), list(output))


def _with_all_axes(tensor: Any, term: str, labels: list[str]) -> Any:
    moved = _with_axes(tensor, term, [label for label in labels if label in term])
    for index, label in enumerate(labels):
        if label not in term:
            moved = tf.expand_dims(moved, index)
    return moved


def _with_axes(tensor: Any, labels: str, wanted: list[str]) -> Any:
    """The tensor with its axes in the given order."""
    order = [labels.index(label) for label in wanted]
    return tensor if order == sorted(order) else tf.transpose(tensor, order)
