"""The limits on every source, checked before the data that they guard against is read.

Each limit is an option of the command line; a refusal names the limit, its value and that option.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from transforms.errors import MigrationError, Reason

MIB, GIB = 1 << 20, 1 << 30


def _limit(default: int, option: str, help_text: str) -> Any:
    return field(default=default, metadata={"option": option, "help": help_text})


@dataclass(frozen=True)
class Limits:
    """Budget of one model; sizes in bytes.

    Attributes:
        file_bytes: size of the source file.
        array_bytes: size of one array, and `weight_bytes` of all of them, once decompressed.
        inflated_bytes: size of all arrays that are compressed more than a hundredfold.
        parameters: scalars in all weights.
        chunk_bytes, chunks: size and number of the chunks of one array.
        attribute_bytes: size of one HDF5 attribute, and `attribute_items` the entries of a list attribute.
        index_bytes, entries: size and number of entries of a checkpoint's index.
        json_bytes, json_depth, json_values: size, nesting and number of values of a stored config.
        nesting: models within models, and wrappers within wrappers.
        layers: layers in the model, nested ones included.
        expanded_calls: layer calls once shared sub-models are expanded.
        expansion: copies, strides or padding steps that one option of a layer makes along one axis.
        tensor_values: values of one sample in one tensor, estimated from inputs, arrays and layers.
        work: time to convert and check a model, estimated from layers and shapes.
        drawn_length: extent of the free axes of inputs in a drawn batch; models that need more require samples.
    """

    file_bytes: int = _limit(16 * GIB, "--max-file-size", "The largest source to read.")
    array_bytes: int = _limit(8 * GIB, "--max-array-size", "The largest array, decompressed.")
    weight_bytes: int = _limit(16 * GIB, "--max-weight-size", "All arrays of a model together, decompressed.")
    inflated_bytes: int = _limit(256 * MIB, "--max-inflated-size", "Arrays compressed more than a hundredfold.")
    parameters: int = _limit(1 << 32, "--max-parameters", "Scalars in the weights of a model.")
    chunk_bytes: int = _limit(256 * MIB, "--max-chunk-size", "The largest chunk of an array.")
    chunks: int = _limit(100_000, "--max-chunks", "Chunks of one array.")
    attribute_bytes: int = _limit(16 * MIB, "--max-attribute-size", "The largest HDF5 attribute.")
    attribute_items: int = _limit(100_000, "--max-attribute-items", "Names in one list of names.")
    index_bytes: int = _limit(64 * MIB, "--max-index-size", "The index of a checkpoint.")
    entries: int = _limit(200_000, "--max-index-entries", "Tensors of a checkpoint, and objects in its graph.")
    json_bytes: int = _limit(16 * MIB, "--max-config-size", "The largest stored config.")
    json_depth: int = _limit(250, "--max-config-depth", "Brackets within brackets of a stored config.")
    json_values: int = _limit(500_000, "--max-config-values", "Values in a stored config.")
    nesting: int = _limit(32, "--max-nesting", "Models within models.")
    layers: int = _limit(20_000, "--max-layers", "Layers of a model.")
    expanded_calls: int = _limit(50_000, "--max-calls", "Layer calls, shared models expanded.")
    expansion: int = _limit(65_536, "--max-expansion", "Copies or steps from one option of a layer.")
    tensor_values: int = _limit(1 << 27, "--max-tensor-values", "Values of one sample in one tensor.")
    work: int = _limit(100_000_000_000, "--max-work", "Nanoseconds of a core to convert and check a model, estimated.")
    drawn_length: int = _limit(32_768, "--max-drawn-length", "Extent of a free axis in a batch drawn as evidence.")


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class LimitOption:
    """One limit as an option: field of `Limits`, option with dashes, what it bounds, default, whether in bytes."""

    field: str
    option: str
    help: str
    default: int
    is_size: bool


def limit_options() -> Iterator[LimitOption]:
    """Every limit, in the order of `Limits`."""
    for each in fields(Limits):
        size = each.name.endswith("_bytes")
        default = getattr(DEFAULT_LIMITS, each.name)
        yield LimitOption(each.name, each.metadata["option"], each.metadata["help"], default, size)


def over_budget(message: str, limit: str, limits: Limits, layer: tuple[str, ...] = ()) -> MigrationError:
    """The error for a source that exceeds `limit`, a field of `limits`; it names value and option.

    Args:
        message: what exceeds the limit, without a full stop, e.g. "The file holds 9 bytes".
        limit: name of the field.
        limits: the budget in force.
        layer: path of the layer.
    """
    option = next(each.option for each in limit_options() if each.field == limit)
    return MigrationError(
        Reason.OVER_BUDGET,
        f"{message}, more than the limit {limit}={getattr(limits, limit):,}",
        layer=layer,
        advice=f"Raise it with {option} if you trust the file.",
    )
