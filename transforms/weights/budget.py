"""What the arrays of a model may amount to, all together."""

from __future__ import annotations

from collections.abc import Sequence

from transforms.limits import Limits, over_budget
from transforms.source.stored_array import StoredArray

#: Trained weights hardly compress; zeros do, up to a thousandfold.
_USUAL_COMPRESSION = 100


def refuse_excess(arrays: Sequence[StoredArray], limits: Limits) -> None:
    """Raises MigrationError `over_budget` when bytes, scalars or compression go beyond a limit."""
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
