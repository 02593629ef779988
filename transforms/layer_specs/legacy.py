"""Classes of Keras 1 that Keras 2 still had, in keras/legacy/layers.py: Merge until 2.1.6, the others until 2.3.1.

ParametricSoftplus and SReLU are of Keras 1 alone. Their options and arrays keep the names of Keras 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transforms.layer_specs.merging import broadcast, concatenated
from transforms.layer_specs.spec import Config, LayerSpec, Role, Roles, same_shape
from transforms.records.inspection import Shape


def _highway(config: Config) -> Roles:
    square = (None, None)
    biases = (Role("b", ((None,),)), Role("b_carry", ((None,),))) if config.get("bias", True) else ()
    return (Role("W", (square,)), Role("W_carry", (square,)), *biases)


def _maxout(config: Config) -> Roles:
    features, units = _integer(config, "nb_feature"), _integer(config, "output_dim")
    bias = (Role("b", ((features, units),)),) if config.get("bias", True) else ()
    return (Role("W", ((features, None, units),)), *bias)


def _integer(config: Config, key: str) -> int | None:
    value = config.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _merged(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    mode = options.get("mode")
    if mode == "concat":
        return concatenated({"axis": options.get("concat_axis", -1)}, inputs)
    return broadcast(options, inputs) if mode in ("sum", "mul", "ave", "max") else []


def _maxima(options: Config, inputs: Sequence[Shape]) -> list[Shape]:
    return [(inputs[0][0], options["output_dim"])]


def _named(*names: str) -> Callable[[Config], Roles]:
    return lambda _: tuple(Role(name) for name in names)


SPECS = (
    LayerSpec("Highway", _highway, None, shape=same_shape),
    LayerSpec("MaxoutDense", _maxout, None, shape=_maxima),
    LayerSpec("Merge", options=None, shape=_merged),
    LayerSpec("ParametricSoftplus", _named("alphas", "betas"), None, shape=same_shape),
    LayerSpec("SReLU", _named("t_left", "a_left", "t_right", "a_right"), None, shape=same_shape),
)
