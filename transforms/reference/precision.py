"""Where float64 cannot stand in for the precision that the runtime computed in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transforms.architecture.graph import LayerPath
from transforms.reference.layer_call import Array, NotCovered

_FLOAT32_MAX = float(np.finfo(np.float32).max)


def refuse_overflow(values: Sequence[Array], path: LayerPath) -> None:
    """Raises NotCovered where numbers leave the range of float32."""
    for value in values:
        if value.size and float(np.nanmax(np.abs(value), initial=0.0)) > _FLOAT32_MAX:
            raise NotCovered("numbers beyond the range of float32", path)
