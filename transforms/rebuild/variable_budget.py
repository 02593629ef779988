"""Keeps a config from having TensorFlow allocate variables that the file holds no arrays for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from transforms.errors import MigrationError, Reason

#: Scalars beyond the arrays that do no harm: what is missing is then named, array by array.
_SLACK = 1 << 20


@contextmanager
def bounded_variables(scalars: int) -> Iterator[None]:
    """Lets the layers built inside make variables of about as many scalars as the arrays hold.

    The shapes of kernels follow from the shapes of tensors, which a config states: an input of 10^9 channels would
    have its kernel allocated before anything notices that the stored kernel is another.

    Raises:
        MigrationError: `weights_mismatch`, before the variable is made.
    """
    made = 0

    def create(make: Callable[..., Any], **options: Any) -> Any:
        nonlocal made
        made += tf.TensorShape(options.get("shape")).num_elements() or 0
        if made > scalars + _SLACK:
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"The config asks for weights of over {made:,} scalars, the file holds {scalars:,}",
                advice="Config and weights belong to different models: restore the file, or pair the right ones.",
            )
        return make(**options)

    with tf.variable_creator_scope(create):
        yield
