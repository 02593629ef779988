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
    CORRUPT_CHECKPOINT = "corrupt_checkpoint"
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
    INTERRUPTED = "interrupted"
    INTERNAL_ERROR = "internal_error"


#: What each code means, for the documents and the audit page.
MEANINGS: dict[Reason, str] = {
    Reason.SOURCE_MISSING: "the source, or a file the row names, cannot be opened or changed while it was read",
    Reason.DIGEST_MISMATCH: "the source is not the file whose SHA-256 the manifest expects",
    Reason.INVALID_ROW: "the manifest row breaks a rule; line and column are named",
    Reason.DUPLICATE_OUTPUT: "two rows would publish to one place",
    Reason.NOT_HDF5: "the source has no HDF5 signature; what it looks like is named",
    Reason.CORRUPT_H5: "HDF5 cannot read the file, or data in it was never written",
    Reason.CORRUPT_CHECKPOINT: "a TensorFlow checkpoint is damaged, incomplete or not of its format",
    Reason.NOT_A_MODEL: "an HDF5 file, but not one that Keras saved",
    Reason.INVALID_CONFIG: "the stored architecture is broken, contradicts itself or lacks a value",
    Reason.MISSING_ARCHITECTURE: "weights without an architecture",
    Reason.CUSTOM_OBJECTS_NEEDED: "the model uses classes or functions that the file does not hold",
    Reason.UNSAFE_LAMBDA: "a Lambda stores Python bytecode, which is never run",
    Reason.UNSAFE_STORAGE: "data outside the file, links, foreign filters, or values that are no plain floats",
    Reason.UNSAFE_OP: "a stored TensorFlow function, or an operation in the artefact that is not known to be harmless",
    Reason.OVER_BUDGET: "the file asks for more than a limit allows; the limit is named",
    Reason.WEIGHTS_MISMATCH: "weights and architecture do not belong together",
    Reason.NONFINITE_WEIGHTS: "weights hold NaN or infinity",
    Reason.UNSUPPORTED_DIALECT: "written by a Keras that this version does not read",
    Reason.UNSUPPORTED_LAYER: "a known layer or option that cannot be rebuilt with the same meaning",
    Reason.INVALID_SAMPLES: "the samples file does not fit the model",
    Reason.WEAK_EVIDENCE: "the evidence is weaker than --require-evidence asks for",
    Reason.TIMEOUT: "the model took longer than --timeout",
    Reason.CRASHED: "the converting process died",
    Reason.OUT_OF_MEMORY: "the conversion needed more memory than it was given",
    Reason.OUTPUT_ERROR: "the output could not be written",
    Reason.INTERRUPTED: "the run was stopped before the model was published: run it again",
    Reason.INTERNAL_ERROR: "an error that nobody foresaw: please report it",
}

#: Reasons that say "the machine or the program failed", not "the input was not acceptable".
FAILURES = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CRASHED,
        Reason.OUT_OF_MEMORY,
        Reason.OUTPUT_ERROR,
        Reason.INTERRUPTED,
        Reason.INTERNAL_ERROR,
    }
)


class MigrationError(Exception):
    """One model cannot be migrated.

    Args:
        reason: the code for the report.
        message: what is wrong, in one sentence.
        layer: path of the layer it happened in, outermost first; empty when no layer is to blame.
        advice: what the operator can do next, in one sentence.
        detail: lines for who wants to know more, such as disassembled bytecode; no part of the report.
    """

    def __init__(
        self,
        reason: Reason,
        message: str,
        *,
        layer: tuple[str, ...] = (),
        advice: str = "",
        detail: tuple[str, ...] = (),
    ) -> None:
        super().__init__(reason, message, layer, advice)
        self.reason = reason
        self.message = message
        self.layer = layer
        self.advice = advice
        self.detail = detail

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles by keyword, since the error crosses from the converting child to its parent."""
        return _restore, (self.reason, self.message, self.layer, self.advice, self.detail)

    def __str__(self) -> str:
        where = f" (layer {'/'.join(self.layer)})" if self.layer else ""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.message}{where}.{advice}"


def _restore(
    reason: Reason, message: str, layer: tuple[str, ...], advice: str, detail: tuple[str, ...] = ()
) -> MigrationError:
    return MigrationError(reason, message, layer=layer, advice=advice, detail=detail)
