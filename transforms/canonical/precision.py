"""The precision of a canonical model and of its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from transforms.architecture.dtype_policy import is_narrow, policy_of
from transforms.architecture.graph import Graph, Layer
from transforms.canonical.model import CanonicalArray
from transforms.canonical.options import POLICY
from transforms.errors import MigrationError, Reason
from transforms.legacy.model import LegacyModel


def floatx_of(model: LegacyModel) -> tuple[str, tuple[str, ...]]:
    """The precision the model computed in.

    Keras before 2.3 writes no dtype into most layers, so it is inferred from the arrays: a model with float64 arrays
    that declares float32 nowhere was computed in float64. A declared float32 overrides the storage type.
    """
    stored_wide = any(
        array.dtype.kind == "f" and array.dtype.itemsize == 8
        for held in model.arrays.values()
        for array in held.values()
    )
    declared = {
        policy_of(layer.config) or str(layer.config.get("input_dtype") or "") for layer in model.graph.walk()
    } - {""}
    told = _rounding(model.graph)
    if "float64" in declared or (stored_wide and "float32" not in declared):
        return "float64", told
    if stored_wide:
        return "float32", (
            *told,
            "Weights stored as float64 are cast to the float32 that the layers declare.",
        )
    return "float32", told


def _rounding(graph: Graph) -> tuple[str, ...]:
    """The warning about 16-bit layers and the evidence."""
    narrow = sorted({policy_of(layer.config) for layer in graph.walk() if is_narrow(layer.config)})
    if not narrow:
        return ()
    return (
        f"Layers compute in 16 bits ({', '.join(narrow)}): devices and releases round them differently, by some "
        "thousandths of a value. Golden outputs from elsewhere may need rtol and atol of this row.",
    )


def uses_float16(graph: Graph) -> bool:
    """True if layers store their weights in float16."""
    return any(policy_of(layer.config) == "float16" for layer in graph.walk())


def stated_policy(layer: Layer) -> dict[str, str]:
    """The policy if the layer computes in 16 bits; otherwise none, and the model's precision applies."""
    return {POLICY: policy_of(layer.config)} if is_narrow(layer.config) else {}


def cast_to(floatx: str, array: CanonicalArray, path: tuple[str, ...], halves: bool) -> CanonicalArray:
    """The array in the precision of the model; integers, booleans and float16 weights are unchanged.

    Raises MigrationError `nonfinite_weights` on reading, if a value exceeds the range of that precision.
    """
    half = halves and array.dtype == np.float16
    target = array.dtype if half or array.dtype.kind in "iub" else np.dtype(floatx)

    def read() -> np.ndarray[Any, Any]:
        values = array.read()
        with np.errstate(over="ignore"):
            cast = values.astype(target, copy=False)
        if not np.isfinite(cast).all():
            raise MigrationError(
                Reason.NONFINITE_WEIGHTS,
                f"An array holds values that are not finite in {floatx}",
                layer=path,
                advice="The model diverged in training or the file is damaged: restore an earlier checkpoint.",
            )
        return cast

    return CanonicalArray(array.shape, target, read)
