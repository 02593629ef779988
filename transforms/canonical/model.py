"""The canonical model: layers with the same meaning in tf-keras as in the legacy runtime, and their arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from transforms.architecture.graph import Graph, Layer, LayerPath
from transforms.legacy.model import LegacyModel
from transforms.records.outcome import Rewrite
from transforms.records.rewrites import REWRITES
from transforms.records.runtime import Runtime

Array: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class CanonicalArray:
    """One weight in canonical layout, computed when it is read.

    Attributes:
        shape: of the canonical array.
        dtype: of the canonical array.
        read: computes it from the file.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    read: Callable[[], Array]

    def mapped(self, change: Callable[[Array], Array], shape: tuple[int, ...] | None = None) -> CanonicalArray:
        """The array after `change`, which must not alter the shape unless `shape` is given."""
        source = self.read
        return replace(self, shape=self.shape if shape is None else shape, read=lambda: change(source()))


ArraysByLayer: TypeAlias = Mapping[LayerPath, Mapping[str, CanonicalArray]]


def stored(model: LegacyModel, path: LayerPath, role: str) -> CanonicalArray:
    """The array exactly as stored in the file, checked when it is read."""
    array = model.arrays[path][role]
    return CanonicalArray(array.shape, array.dtype.newbyteorder("="), lambda: model.read_array(path, role))


@dataclass(frozen=True)
class LayerRewrite:
    """A layer during rewriting, with the arrays of everything inside it.

    Attributes:
        layer: as rewritten so far.
        arrays: by path, below `layer.path`.
        rewrites: the rewrites made, in order.
        warnings: the assumptions made.
    """

    layer: Layer
    arrays: ArraysByLayer
    rewrites: tuple[Rewrite, ...] = ()
    warnings: tuple[str, ...] = ()

    def rewritten(
        self, layer: Layer, rule: str, detail: str = "", arrays: ArraysByLayer | None = None, warning: str = ""
    ) -> LayerRewrite:
        """The result of one more rewrite, which must be in the catalogue."""
        if rule not in REWRITES:
            raise ValueError(f"{rule} is not in the catalogue of rewrites")
        note = Rewrite("/".join(self.layer.path), rule, detail)
        return LayerRewrite(
            layer=layer,
            arrays=self.arrays if arrays is None else arrays,
            rewrites=(*self.rewrites, note),
            warnings=(*self.warnings, warning) if warning else self.warnings,
        )

    @property
    def own_arrays(self) -> Mapping[str, CanonicalArray]:
        """Arrays of the layer itself, by role."""
        return self.arrays.get(self.layer.path, {})

    def with_own_arrays(self, arrays: Mapping[str, CanonicalArray]) -> ArraysByLayer:
        """All arrays, with those of the layer itself replaced."""
        return {**self.arrays, self.layer.path: arrays}


@dataclass(frozen=True)
class RewriteContext:
    """Facts beyond the layer that a rewrite may use.

    Attributes:
        runtime: the Keras that wrote the file.
        masked: whether any layer of the model makes a mask.
        floatx: `float32` or `float64`: the precision the model computes in.
        data_format: of layers that depend on one and store none.
        input_inferred: whether the input shape was inferred, because the file does not record it.
        release: the TensorFlow release that wrote a tf.keras file, e.g. (1, 13), as far as the file determines it;
            otherwise ().
        more_than_three_axes: False when no tensor of the model can have more.
    """

    runtime: Runtime
    masked: bool
    floatx: str
    data_format: str = "channels_last"
    release: tuple[int, ...] = ()
    input_inferred: bool = False
    more_than_three_axes: bool = True


#: A rule returns its argument itself if there is nothing to rewrite.
RewriteRule: TypeAlias = Callable[[LayerRewrite, RewriteContext], LayerRewrite]


@dataclass(frozen=True)
class CanonicalModel:
    """A model ready to be rebuilt.

    Attributes:
        graph: layers of the classes that `rebuild` accepts, with every relevant option stated.
        arrays: by leaf layer path, then role, in canonical layout.
        floatx: precision of the computation.
        rewrites, warnings: for the report, in layer order.
    """

    graph: Graph
    arrays: ArraysByLayer
    floatx: str
    rewrites: tuple[Rewrite, ...]
    warnings: tuple[str, ...]
