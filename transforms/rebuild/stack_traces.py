"""TensorFlow notes for every operation which Python calls led to it, which takes a twelfth of all tracing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tensorflow.python.util import tf_stack

from transforms.rebuild.replaced_functions import instead


@contextmanager
def one_stack_trace() -> Iterator[None]:
    """Operations made inside all bear the trace of this call: it is shown in errors only, and is never saved."""
    here = tf_stack.extract_stack()
    with instead(tf_stack, "extract_stack", lambda stacklevel=1: here):
        yield
