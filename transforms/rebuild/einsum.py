"""tf.einsum as transpositions around one matrix product: tf-keras writes no config that rebuilds a bare einsum."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def einsum_as_matmul(equation: str, *tensors: Any) -> Any:
    """C[batch, m, n] = sum_k A[batch, m, k] B[batch, k, n], with the axes of A, B and C in any order.

    Args:
        equation: explicit, of two operands: any number of labels in all three, and one each for m, n and k.
        tensors: the two operands, symbolic.

    Raises ValueError for any other equation.
    """
    terms, arrow, output = equation.replace(" ", "").partition("->")
    first, _, second = terms.partition(",")
    batch = [label for label in output if label in first and label in second]
    rows = [label for label in first if label in output and label not in second]
    columns = [label for label in second if label in output and label not in first]
    summed = [label for label in first if label in second and label not in output]
    parts = (first, second, output)
    plain = arrow and len(tensors) == 2 and all(part.isalpha() and len(set(part)) == len(part) for part in parts)
    whole = len(first) == len(second) == len(output) == len(batch) + 2
    if not plain or not whole or not len(rows) == len(columns) == len(summed) == 1:
        raise ValueError(f"einsum {equation!r} is no product of two matrices")
    product = tf.matmul(
        _with_axes(tensors[0], first, [*batch, *rows, *summed]),
        _with_axes(tensors[1], second, [*batch, *summed, *columns]),
    )
    return _with_axes(product, "".join([*batch, *rows, *columns]), list(output))


def _with_axes(tensor: Any, labels: str, wanted: list[str]) -> Any:
    """The tensor with its axes in the wanted order."""
    order = [labels.index(label) for label in wanted]
    return tensor if order == sorted(order) else tf.transpose(tensor, order)
