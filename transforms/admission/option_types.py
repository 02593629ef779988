"""Type and range of each option of a layer, checked on the config as data.

Keras checked its arguments when the layer was made; a stored config may contain anything. Values that tf-keras would
refuse, misread (`use_bias="False"` is true in Python) or answer with unbounded allocation are refused first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from transforms.architecture.graph import Layer
from transforms.errors import MigrationError, Reason
from transforms.layer_specs.registry import SPECS

Check = Callable[[Any], bool]


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """A number; infinities are valid for open bounds: ReLU(max_value=inf)."""
    return _is_integer(value) or (isinstance(value, float) and not math.isnan(value))


def _at_least(least: int) -> Check:
    return lambda value: _is_integer(value) and value >= least


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


def _one_of(*names: str) -> Check:
    return lambda value: isinstance(value, str) and value in names


def _is_flag(value: object) -> bool:
    return isinstance(value, bool) or (_is_integer(value) and value in (0, 1))


def _within(low: float, high: float) -> Check:
    return lambda value: _is_number(value) and low <= value <= high


_POSITIVE = _at_least(1)
_POSITIVES = _either(_POSITIVE, _list_of(_POSITIVE))
_NATURAL = _at_least(0)
_MARGINS = _either(_NATURAL, _list_of(_either(_NATURAL, _list_of(_NATURAL))))
_EXTENTS = _list_of(lambda value: value is None or _at_least(0)(value))
_INTEGERS = _either(_is_integer, _list_of(_is_integer))
_NUMBERS = _either(_is_number, _list_of(_is_number))
_NAME: Check = lambda value: isinstance(value, str)  # noqa: E731
_BORDERS = _one_of("valid", "same", "full", "causal")

_DTYPES = """
    float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool string mixed_float16
    mixed_bfloat16
""".split()

#: Options with the same meaning in every class. null is always allowed; it means that the option is absent.
_EVERYWHERE: Mapping[str, tuple[Check, str]] = {
    **dict.fromkeys(
        """
        units filters output_dim nb_filter nb_feature n length depth_multiplier filter_length nb_row nb_col kernel_dim1
        kernel_dim2 kernel_dim3 pool_length stride subsample_length input_dim num_heads key_dim value_dim
        height width num_tokens num_bins
        """.split(),
        (_POSITIVE, "a positive integer"),
    ),
    **dict.fromkeys(
        "kernel_size strides dilation_rate pool_size size subsample atrous_rate".split(),
        (_POSITIVES, "a positive integer, or a list of such"),
    ),
    **dict.fromkeys(
        """
        use_bias bias return_sequences return_state go_backwards stateful unroll time_major zero_output_for_mask center
        mask_zero normalize causal keepdims use_scale reset_after trainable unit_forget_bias sparse ragged renorm
        """.split(),
        (_is_flag, "true or false"),
    ),
    **dict.fromkeys(
        "stddev sigma alpha theta threshold negative_slope max_value momentum l1 l2".split(),
        (_is_number, "a number"),
    ),
    "mask_value": (_either(_is_number, lambda value: isinstance(value, float)), "a number"),
    **dict.fromkeys("rate p dropout recurrent_dropout dropout_W dropout_U".split(), (_within(0, 1), "between 0 and 1")),
    "epsilon": (_within(0, 1e30), "a number not below zero"),
    "offset": (_NUMBERS, "a number, or a list of such"),
    "output_shape": (_either(_POSITIVE, _EXTENTS), "a list of extents"),
    "scale": (_either(_is_flag, _NUMBERS), "a number, true or false"),
    "padding": (_either(_BORDERS, _MARGINS), "valid, same, causal, or steps not below zero"),
    "border_mode": (_BORDERS, "valid, same or full"),
    "cropping": (_MARGINS, "steps not below zero"),
    "output_padding": (_either(_NATURAL, _list_of(_NATURAL)), "steps not below zero"),
    "data_format": (_one_of("channels_first", "channels_last", "default"), "channels_first or channels_last"),
    "dim_ordering": (_one_of("th", "tf", "default"), "th or tf"),
    "merge_mode": (_one_of("concat", "sum", "mul", "ave"), "concat, sum, mul, ave or null"),
    "interpolation": (_NAME, "a name"),
    "implementation": (_NATURAL, "a number"),
    "target_shape": (_list_of(_at_least(-1)), "a list of extents"),
    "dims": (_list_of(_POSITIVE), "a list of axes"),
    "axis": (_INTEGERS, "an integer, or a list of such"),
    "axes": (_INTEGERS, "an integer, or a list of such"),
    "shared_axes": (_INTEGERS, "an integer, or a list of such"),
    "groups": (_at_least(-1), "an integer"),
    "batch_input_shape": (_EXTENTS, "a list of extents, null where free"),
    "batch_shape": (_EXTENTS, "a list of extents, null where free"),
    "input_length": (_either(_NATURAL, _EXTENTS), "a length"),
    "name": (_NAME, "a name"),
    "dtype": (_either(_one_of(*_DTYPES), lambda value: isinstance(value, Mapping)), "a dtype"),
    "input_dtype": (_one_of(*_DTYPES), "a dtype"),
}

#: Options with a special meaning in one class.
_EXCEPT = frozenset(
    {("Merge", "output_shape"), ("Lambda", "output_shape")}
    | {(spec.name, option) for spec in SPECS.values() for option in spec.own_types}
)


def check_options(layer: Layer) -> None:
    """Refuses options of the wrong type or out of range.

    Raises MigrationError `invalid_config`, naming layer, option and value.
    """
    for option, value in layer.config.items():
        known = _EVERYWHERE.get(option)
        if known is None or value is None or (layer.class_name, option) in _EXCEPT:
            continue
        check, wanted = known
        if not check(value):
            raise MigrationError(
                Reason.INVALID_CONFIG,
                f"{layer.class_name} has {option}={str(value)[:60]!r}, which is not {wanted}",
                layer=layer.path,
                advice="The stored config is damaged or was not written by Keras: restore the file.",
            )
