"""Refusals of unsafe graphs, with the names of places in them."""

from __future__ import annotations

from typing import Any

from transforms.errors import MigrationError, Reason

_SHOWN = 120


def unsafe(message: str) -> MigrationError:
    """The error `unsafe_op`. `message` is a sentence without its full stop."""
    return MigrationError(
        Reason.UNSAFE_OP,
        message,
        advice="Write custom code with plain TensorFlow operations; if the model has none, please report it.",
    )


def place(node: Any, function: str) -> str:
    """A node and the function that contains it, "" for the graph itself."""
    where = f" of the function {function[:_SHOWN]}" if function else ""
    return f"node {node.name[:_SHOWN]}{where}"


def shown(name: str) -> str:
    """A name from a graph, shortened for messages."""
    return name[:_SHOWN]
