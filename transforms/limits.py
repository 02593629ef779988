"""The bounds that every source is held to, before the data they protect against is touched."""

from __future__ import annotations

from dataclasses import dataclass

MIB, GIB = 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """Budget of one model.

    Attributes:
        file_bytes: size of the source file.
        array_bytes: bytes of one array, and `weight_bytes` of all of them, once decompressed.
        chunk_bytes, chunks: size and number of the chunks of one array.
        attribute_bytes: bytes of one HDF5 attribute; `attribute_items` entries of a list attribute.
        index_bytes, entries: size and number of entries of a checkpoint's index.
        json_bytes, json_depth: size and nesting of a stored config.
        layers: layers in the model, nested ones counted where they stand.
        expanded_calls: layer calls once shared sub-models are expanded.
        expansion: copies or padding steps that a layer without weights makes along one axis.
    """

    file_bytes: int = 16 * GIB
    array_bytes: int = 8 * GIB
    weight_bytes: int = 16 * GIB
    chunk_bytes: int = 256 * MIB
    chunks: int = 1_000_000
    attribute_bytes: int = 64 * MIB
    attribute_items: int = 100_000
    index_bytes: int = 64 * MIB
    entries: int = 200_000
    json_bytes: int = 64 * MIB
    json_depth: int = 250
    layers: int = 20_000
    expanded_calls: int = 50_000
    expansion: int = 65_536


DEFAULT_LIMITS = Limits()
