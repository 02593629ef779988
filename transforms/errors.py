"""Typed failures: each carries a reason code from one closed list, the layer path and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class Reason(StrEnum):
    """Reasons for a refusal or failure; the values of the report's `reason` column."""

    SOURCE_MISSING = "source_missing"
    DIGEST_MISMATCH = "digest_mismatch"
    INVALID_ROW = "invalid_row"
    DUPLICATE_OUTPUT = "duplicate_output"
    OUTPUT_OCCUPIED = "output_occupied"
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
    RANDOM_OUTPUTS = "random_outputs"
    NEEDS_NEWER_TENSORFLOW = "needs_newer_tensorflow"
    INVALID_SAMPLES = "invalid_samples"
    WEAK_EVIDENCE = "weak_evidence"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    OUT_OF_MEMORY = "out_of_memory"
    OUTPUT_ERROR = "output_error"
    INTERRUPTED = "interrupted"
    ROW_LOST = "row_lost"
    INTERNAL_ERROR = "internal_error"


#: The meaning of each code, for the generated documents.
MEANINGS: dict[Reason, str] = {
    Reason.SOURCE_MISSING: "the source, or a file the row names, cannot be opened or changed while it was read",
    Reason.DIGEST_MISMATCH: "the source is not the file whose SHA-256 the manifest expects",
    Reason.INVALID_ROW: "the manifest row is invalid; the message names line and column",
    Reason.DUPLICATE_OUTPUT: "two rows would publish to one place",
    Reason.OUTPUT_OCCUPIED: "the output's place, or one around it, holds files not published for this row; they stay",
    Reason.NOT_HDF5: "the source has no HDF5 signature; the message names its apparent type",
    Reason.CORRUPT_H5: "HDF5 cannot read the file, or some of its data was never written",
    Reason.CORRUPT_CHECKPOINT: "a TensorFlow checkpoint is damaged, incomplete or not of its format",
    Reason.NOT_A_MODEL: "an HDF5 file, but not one that Keras saved",
    Reason.INVALID_CONFIG: "the stored architecture is broken, contradicts itself or lacks a value",
    Reason.MISSING_ARCHITECTURE: "weights without an architecture",
    Reason.CUSTOM_OBJECTS_NEEDED: "the model uses classes or functions that are not in the file",
    Reason.UNSAFE_LAMBDA: "a Lambda's function is random, has side effects, or is not translated; it is never run",
    Reason.UNSAFE_STORAGE: "data outside the file, links, foreign filters, or values other than plain floats",
    Reason.UNSAFE_OP: "a stored TensorFlow function, or an operation in the artefact that is not known to be harmless",
    Reason.OVER_BUDGET: "the file exceeds a limit; the message names it",
    Reason.WEIGHTS_MISMATCH: "weights and architecture do not belong together",
    Reason.NONFINITE_WEIGHTS: "weights hold NaN or infinity",
    Reason.UNSUPPORTED_DIALECT: "written by a Keras version that is not supported",
    Reason.UNSUPPORTED_LAYER: "a known layer or option that cannot be rebuilt with the same meaning",
    Reason.RANDOM_OUTPUTS: "the outputs depend on random numbers; the message names the layers",
    Reason.NEEDS_NEWER_TENSORFLOW: "the model needs an operation that the release of --tensorflow-min does not have",
    Reason.INVALID_SAMPLES: "the samples file does not fit the model",
    Reason.WEAK_EVIDENCE: "the evidence is weaker than --require-evidence demands",
    Reason.TIMEOUT: "the model took longer than --timeout",
    Reason.CRASHED: "the process that read, converted or verified the model died",
    Reason.OUT_OF_MEMORY: "the conversion needed more memory than its limit",
    Reason.OUTPUT_ERROR: "the output could not be written",
    Reason.INTERRUPTED: "the run was stopped before the model was published; run it again",
    Reason.ROW_LOST: "the runner lost the row twice, or its worker ended",
    Reason.INTERNAL_ERROR: "an unexpected error; please report it",
}

#: Advice to the operator for each code, for the generated documents. A row's own message is more precise.
REMEDIES: dict[Reason, str] = {
    Reason.SOURCE_MISSING: "Correct the path in the manifest, restore the file, or give the run permission to read it;"
    " run again when no process writes to it.",
    Reason.DIGEST_MISMATCH: "Fetch the file again from its origin; if the new content is correct, put its SHA-256 into"
    " column `sha256`.",
    Reason.INVALID_ROW: "Correct the entry at the line and column that the message names.",
    Reason.DUPLICATE_OUTPUT: "Give each of the two rows a model name and version of its own.",
    Reason.OUTPUT_OCCUPIED: "Move what the message names out of the way, or publish under another name or output.",
    Reason.NOT_HDF5: "Point the row at the `.h5` file itself; fetch it if the message mentions a git-LFS pointer or"
    " a failed download, and unpack it if the message mentions an archive.",
    Reason.CORRUPT_H5: "Restore the file from its origin or a backup; missing data cannot be recovered.",
    Reason.CORRUPT_CHECKPOINT: "Restore all files of the checkpoint (its index and every shard) from their origin.",
    Reason.NOT_A_MODEL: "Remove the row, or point it at the file that Keras saved.",
    Reason.INVALID_CONFIG: "Save the model again where it still loads; if only the input's shape is missing, provide"
    " samples.",
    Reason.MISSING_ARCHITECTURE: "Name the architecture (JSON, YAML, or Python with `--allow-custom-code`) in column"
    " `architecture`.",
    Reason.CUSTOM_OBJECTS_NEEDED: "Name a Python file that defines what the message lists in column `custom_objects`,"
    " and run with `--allow-custom-code` if you trust it.",
    Reason.UNSAFE_LAMBDA: "Define the Lambda's function in a `custom_objects` file and allow it, or rebuild the model"
    " with a standard layer in its place.",
    Reason.UNSAFE_STORAGE: "Copy the data into the file in plain form (`h5repack` does), from a source you trust.",
    Reason.UNSAFE_OP: "Rebuild the model with a layer in place of the call.",
    Reason.OVER_BUDGET: "Raise the limit that the message names (`--max-file-size` for the file) if you trust the"
    " file.",
    Reason.WEIGHTS_MISMATCH: "Find the architecture that these weights were trained with, or restore the file.",
    Reason.NONFINITE_WEIGHTS: "Restore an earlier checkpoint: the training diverged, or the file is damaged.",
    Reason.UNSUPPORTED_DIALECT: "Save the model with a version that is read: Keras 1, Keras 2, tf.keras or the `.h5`"
    " format of Keras 3.",
    Reason.UNSUPPORTED_LAYER: "Rebuild the model without the layer or option that the message names.",
    Reason.RANDOM_OUTPUTS: "Name layers whose outputs are not random in the manifest's column `outputs`, or provide"
    " custom code for the random layers.",
    Reason.NEEDS_NEWER_TENSORFLOW: "Serve the model with the release that the message names, or rebuild it without the"
    " layer.",
    Reason.INVALID_SAMPLES: "Correct the `.npz`: one array for each input, batch first, of the shapes in the message.",
    Reason.WEAK_EVIDENCE: "Provide samples with expected outputs, or require less with `--require-evidence`.",
    Reason.TIMEOUT: "Raise `--timeout`, or migrate the model by itself on a faster machine.",
    Reason.INTERRUPTED: "Run again: published models stay, and the rest is migrated.",
    Reason.ROW_LOST: "Run again: what was published stays. If it happens again, check the runner's log.",
    Reason.CRASHED: "Run again; if it dies again, check the file with `h5ferry inspect` and restore it from its"
    " origin.",
    Reason.OUT_OF_MEMORY: "Raise `--memory-limit`, use fewer workers, or use a machine with more memory.",
    Reason.OUTPUT_ERROR: "Free space or correct permissions at the output, then run again.",
    Reason.INTERNAL_ERROR: "Report it, with the row's message and, if it may be shared, the file.",
}

#: Reasons that say "the machine or the program failed", not "the input was not acceptable".
FAILURES = frozenset(
    {
        Reason.TIMEOUT,
        Reason.CRASHED,
        Reason.OUT_OF_MEMORY,
        Reason.OUTPUT_ERROR,
        Reason.INTERRUPTED,
        Reason.ROW_LOST,
        Reason.INTERNAL_ERROR,
    }
)


#: What a row of a report or a line of a terminal may have to hold, whatever a file calls its layers.
_MESSAGE_CHARACTERS, _NAME_CHARACTERS = 2_000, 200


def shortened(text: str, most: int) -> str:
    """The text, its middle left out where it is longer than `most` characters."""
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-(most // 2) :]}"


class MigrationError(Exception):
    """One model cannot be migrated.

    Args:
        reason: the code for the report.
        message: what is wrong, in one sentence.
        layer: path of the layer that caused it, outermost first; empty if none did.
        advice: what the operator can do next, in one sentence.
        detail: lines with further information, such as disassembled bytecode; not part of the report.
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
        message, advice = shortened(message, _MESSAGE_CHARACTERS), shortened(advice, _MESSAGE_CHARACTERS)
        layer = tuple(shortened(name, _NAME_CHARACTERS) for name in layer)
        super().__init__(reason, message, layer, advice)
        self.reason = reason
        self.message = message
        self.layer = layer
        self.advice = advice
        self.detail = detail

    def __str__(self) -> str:
        where = f" (layer {'/'.join(self.layer)})" if self.layer else ""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.message}{where}.{advice}"


#: Further obstacles that a message names.
_MOST_TOLD = 5


def together(obstacles: Sequence[MigrationError]) -> MigrationError:
    """The first of several errors of one model; its advice names the others, each once."""
    first = obstacles[0]
    others = list(dict.fromkeys(_told(each) for each in obstacles[1:] if each.message != first.message))
    if not others:
        return first
    more = [f"and {len(others) - _MOST_TOLD} more"] if len(others) > _MOST_TOLD else []
    advice = f"{first.advice} The model has further obstacles: {'; '.join([*others[:_MOST_TOLD], *more])}."
    return MigrationError(first.reason, first.message, layer=first.layer, advice=advice.strip(), detail=first.detail)


def _told(error: MigrationError) -> str:
    where = f" (layer {'/'.join(error.layer)})" if error.layer else ""
    return f"{error.reason.value}: {error.message[:200]}{where}"
