"""The page docs/supported_layers.md, from the program's own tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from transforms.admission.classes import UNSUPPORTED, WRAPPERS
from transforms.architecture.function_signatures import FUNCTION, FUNCTIONS
from transforms.architecture.graph import MODEL_CLASSES
from transforms.architecture.keras_3 import OPERATION, OPERATIONS
from transforms.layer_specs.keras_1_options import CLASSES as RENAMED_FROM_KERAS_1
from transforms.layer_specs.registry import CANONICAL, SPECS
from transforms.legacy.dialects import DIALECTS
from transforms.reference.functions import FUNCTION_LAYERS
from transforms.reference.registry import KERAS_2, KERAS_3
from transforms.weights.roles_keras_1 import KERAS_1_WEIGHTED, KERAS_1_WEIGHTLESS


def supported_layers() -> str:
    """The whole page."""
    parts = [
        "# Supported layers",
        "What migrates, and what its outputs are compared with where no golden outputs are given: the independent "
        "`reference`, or the `rebuilt` Keras model alone. `h5ferry inspect FILE` says it for a file.",
        "## Generations of Keras",
        _table(("written by", "recognised by", "what is special"), _dialects()),
        "## Layers of Keras 2, tf.keras and Keras 3",
        "A class counts as Keras's own only where a release that may have written the file has it; else it is the "
        "user's, and its code is needed.",
        _table(("layer", "evidence", "becomes"), _layers()),
        f"Models: {', '.join(sorted(MODEL_CLASSES))}, nested to any depth.",
        "## Layers that only Keras 1 has",
        _table(("layer", "becomes"), _keras_1()),
        "## Classes of Keras that are refused",
        _table(("layer", "why"), ((f"`{name}`", why) for name, why in sorted(UNSUPPORTED.items()))),
        "## TensorFlow functions and operations among the layers",
        "By their stored name (`TFOpLambda`, `SlicingOpLambda`), or as the operation of such a function "
        "(`TensorFlowOpLayer`). Others are refused with `unsafe_op` or `unsupported_layer`.",
        _columns(sorted(FUNCTIONS), {name.removeprefix(FUNCTION) for name in FUNCTION_LAYERS}),
        "## Operations of Keras 3 among the layers",
        _columns(sorted(OPERATIONS), {name.removeprefix(OPERATION) for name in _covered(KERAS_3)}),
    ]
    return "\n\n".join(parts) + "\n"


def _dialects() -> Iterable[tuple[str, ...]]:
    return ((each.name, each.recognised_by, each.special) for each in DIALECTS)


def _covered(dialect: object) -> frozenset[str]:
    tables: Iterable[Mapping[str, object]] = (getattr(dialect, name) for name in ("stateless", "structured", "cells"))
    return frozenset(name for table in tables for name in table)


def _layers() -> Iterable[tuple[str, ...]]:
    covered = _covered(KERAS_2) | WRAPPERS | {"InputLayer"}
    for name in sorted(SPECS):
        becomes = "" if name in CANONICAL or name == "InputLayer" else "a rewrite replaces it"
        yield f"`{name}`", "`reference`" if name in covered else "`rebuilt`", becomes


def _keras_1() -> Iterable[tuple[str, ...]]:
    for name in sorted((KERAS_1_WEIGHTED | KERAS_1_WEIGHTLESS) - SPECS.keys()):
        other = RENAMED_FROM_KERAS_1.get(name)
        yield f"`{name}`", f"`{other}`" if other else "standard layers under its name"


def _columns(names: Iterable[str], covered: frozenset[str] | set[str]) -> str:
    """Names in one paragraph, those that the reference lacks marked."""
    return ", ".join(f"`{name}`" if name in covered else f"`{name}` (`rebuilt`)" for name in names) + "."


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join(lines)
