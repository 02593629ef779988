"""Checks the sizes in a config against the arrays, so that a config alone cannot determine allocations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from transforms.architecture.graph import Layer
from transforms.errors import MigrationError, Reason
from transforms.limits import Limits, over_budget
from transforms.source.stored_array import StoredArray

#: Options that are an extent of one of the layer's arrays.
_EXTENTS = """
    units filters output_dim nb_filter nb_feature nb_row nb_col filter_length kernel_dim1 kernel_dim2 kernel_dim3
""".split()

#: Layers whose arrays merge the window with the channels.
_MERGED = ("LocallyConnected",)


def check_extents(layer: Layer, arrays: Mapping[str, StoredArray]) -> None:
    """Checks that each stated size is an extent of one of the layer's arrays.

    Args:
        layer: a leaf layer that Keras has.
        arrays: its arrays by role; a layer without any is not checked.

    Raises:
        MigrationError: `weights_mismatch`, naming layer, option and value.
    """
    found = {extent for array in arrays.values() for extent in array.shape}
    if not found or layer.class_name.startswith(_MERGED):
        return
    for option in (*_EXTENTS, *(("input_dim",) if layer.class_name == "Embedding" else ())):
        stated = layer.config.get(option)
        if isinstance(stated, int) and stated not in found:
            raise MigrationError(
                Reason.WEIGHTS_MISMATCH,
                f"{layer.class_name} has {option}={stated:,}, which is an extent of none of its arrays",
                layer=layer.path,
                advice="Config and weights belong to different models: restore the file, or pair the right ones.",
            )


#: The arrays of Keras's own layers that are not floats: the count of a Normalization, and the number of categories of a
#: CategoryEncoding.
_COUNTS = frozenset({"count", "num_elements"})


def refuse_other_numbers(layer: Layer, arrays: Mapping[str, StoredArray]) -> None:
    """Refuses integers and booleans in the arrays of a layer that Keras has. Raises MigrationError `unsafe_storage`."""
    for role, array in arrays.items():
        if array.dtype.kind != "f" and role not in _COUNTS:
            raise MigrationError(
                Reason.UNSAFE_STORAGE,
                f"The array {array.name!r} holds values of the type {array.dtype.name}, and {layer.class_name} floats",
                layer=layer.path,
                advice="If the numbers are the weights, write them as float32 into a copy of the file; if they "
                "were quantized, scale them back first, as the code that wrote them does.",
            )


#: Trained weights hardly compress; zeros do, up to a thousandfold.
_USUAL_COMPRESSION = 100


def refuse_excess(arrays: Sequence[StoredArray], limits: Limits) -> None:
    """Raises MigrationError `over_budget` if bytes, scalars or compression exceed a limit."""
    total = sum(array.bytes for array in arrays)
    if total > limits.weight_bytes:
        raise over_budget(f"The weights hold {total:,} bytes", "weight_bytes", limits)
    parameters = sum(array.size for array in arrays)
    if parameters > limits.parameters:
        raise over_budget(f"The weights hold {parameters:,} parameters", "parameters", limits)
    inflated = sum(array.bytes for array in arrays if array.bytes > _USUAL_COMPRESSION * array.stored_bytes)
    if inflated > limits.inflated_bytes:
        raise over_budget(
            f"Arrays compressed more than {_USUAL_COMPRESSION}-fold hold {inflated:,} bytes", "inflated_bytes", limits
        )
