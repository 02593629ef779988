"""Reasons for refusing a function by name: it is random, has state, reads or writes, or is not on the list."""

from __future__ import annotations

from transforms.errors import Reason
from transforms.lambda_functions.values import Reference, Refused

#: Parts of names and the reason that each implies; the first match is used.
_WHY: tuple[tuple[tuple[str, ...], str], ...] = (
    (("random", "dropout", "truncated_normal", "shuffle", "multinomial", "bernoulli"), "which is random"),
    (("py_func", "py_function", "numpy_function"), "which runs Python code"),
    (("Variable", "variable", "get_variable", "assign", "update", "moving_average"), "which keeps a state"),
    (("print", "Print", "summary", "write", "save", "log_device"), "which writes"),
    (("read", "load", "open", "restore", "io.", "gfile", "data."), "which reads"),
    (("layers.", "Model", "Sequential"), "which makes a layer inside the function"),
    (("session", "eval", "get_value", "set_", "function", "gradients"), "which is not a function of tensors"),
    (("map_fn", "while_loop", "scan", "foldl", "foldr", "rnn"), "which loops over a tensor"),
)


def why_refused(reference: Reference) -> Refused:
    """The refusal of a function, by name and reason."""
    module, _, last = reference.name.rpartition(".")
    if module == "builtins":
        return Refused(f"Python's {last}, which is not on the list of pure functions")
    for parts, why in _WHY:
        if any(part in reference.name for part in parts):
            return Refused(f"{reference.written}, {why}")
    return Refused(f"{reference.written}, which is not on the list of pure functions", Reason.UNSAFE_LAMBDA)
