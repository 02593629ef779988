"""Typed failures: each carries a reason code from one closed list, the layer path and what to do next."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a row was refused or failed. The value is what the report's `reason` column holds."""

    SOURCE_MISSING = "source_missing"
    DIGEST_MISMATCH = "digest_mismatch"
    INVALID_ROW = "invalid_row"
    DUPLICATE_OUTPUT = "duplicate_output"
    NOT_HDF5 = "not_hdf5"
    CORRUPT_H5 = "corrupt_h5"
    NOT_A_MODEL = "not_a_model"
    INVALID_CONFIG = "invalid_config"
    MISSING_ARCHITECTURE = "missing_architecture"
    CUSTOM_OBJECTS_NEEDED = "custom_objects_needed"
    UNSAFE_LAMBDA = "unsafe_lambda"
    UNSAFE_STORAGE = "unsafe_storage"
    UNSAFE_OP = "unsafe_op"
    OVER_BUDGET = "over_budget"
    WEIGHTS_MISMATCH = "weights_mismatch"
    NONFINITE_WEIGHTS = "nonfinite_weights"
    UNSUPPORTED_DIALECT = "unsupported_dialect"
    UNSUPPORTED_LAYER = "unsupported_layer"
    INVALID_SAMPLES = "invalid_samples"
    WEAK_EVIDENCE = "weak_evidence"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_ERROR = "output_error"
    INTERNAL_ERROR = "internal_error"


#: Reasons that say "the machine or the program failed", not "the input was not acceptable".
FAILURES = frozenset({Reason.TIMEOUT, Reason.CRASHED, Reason.OUT_OF_MEMORY, Reason.OUTPUT_ERROR, Reason.INTERNAL_ERROR})


class MigrationError(Exception):
    """One model cannot be migrated.

    Args:
        reason: the code for the report.
        message: what is wrong, in one sentence.
        layer: path of the layer it happened in, outermost first; empty when no layer is to blame.
        advice: what the operator can do next, in one sentence.
    """

    def __init__(self, reason: Reason, message: str, *, layer: tuple[str, ...] = (), advice: str = "") -> None:
        super().__init__(reason, message, layer, advice)
        self.reason = reason
        self.message = message
        self.layer = layer
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles by keyword, since the error crosses from the converting child to its parent."""
        return _restore, (self.reason, self.message, self.layer, self.advice)

    def __str__(self) -> str:
        where = f" (layer {'/'.join(self.layer)})" if self.layer else ""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.message}{where}.{advice}"


def _restore(reason: Reason, message: str, layer: tuple[str, ...], advice: str) -> MigrationError:
    return MigrationError(reason, message, layer=layer, advice=advice)
