"""Evaluates pure functions of `numpy` and `math` on constants, within bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.names import dtype_name, numpy_dtype
from transforms.lambda_functions.refusals import why_refused
from transforms.lambda_functions.values import (
    FREE_EXTENT,
    MOST_NUMBERS,
    Reference,
    Refused,
    Tensor,
    Value,
    bounded,
    broadcast_size,
    kind_of,
)

#: Functions of NumPy whose result is no larger than their arguments together.
_PURE = """
    abs absolute add all amax amin any arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argsort array
    asarray ascontiguousarray atleast_1d atleast_2d average cbrt ceil clip concatenate cos cosh cumprod cumsum deg2rad
    degrees diag_indices diff divide equal exp exp2 expand_dims expm1 fix flip fliplr flipud floor floor_divide
    fmod greater greater_equal hstack hypot invert isfinite isinf isnan less less_equal log log10 log1p log2
    logical_and logical_not logical_or logical_xor max maximum mean median min minimum mod moveaxis multiply negative
    nonzero not_equal power prod ptp rad2deg radians ravel reciprocal remainder reshape rint roll rollaxis round
    shape sign sin sinh size sort sqrt square squeeze stack std subtract sum swapaxes tan tanh trace transpose tril
    triu true_divide trunc unique var vstack where linalg.norm linalg.inv linalg.det
    float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool ndim
""".split()

#: Functions whose arguments determine the size of the result: the product of these.
_SIZED: Mapping[str, Callable[..., float]] = {
    "arange": lambda start, stop=None, step=1, dtype=None: abs(
        ((start if stop is None else stop) - (0 if stop is None else start)) / step
    ),
    "linspace": lambda start, stop, num=50, **others: num,
    "logspace": lambda start, stop, num=50, **others: num,
    "zeros": lambda shape, *others, **named: _product(shape),
    "ones": lambda shape, *others, **named: _product(shape),
    "full": lambda shape, *others, **named: _product(shape),
    "empty": lambda shape, *others, **named: _product(shape),
    "zeros_like": lambda a, *others, **named: np.size(a),
    "ones_like": lambda a, *others, **named: np.size(a),
    "full_like": lambda a, *others, **named: np.size(a),
    "eye": lambda n, m=None, *others, **named: n * (n if m is None else m),
    "identity": lambda n, dtype=None: n * n,
    "tile": lambda a, reps: np.size(a) * _product(reps),
    "repeat": lambda a, repeats, axis=None: np.size(a) * max(np.ravel(repeats)),
    "outer": lambda a, b: np.size(a) * np.size(b),
    "dot": lambda a, b: np.size(a) * np.size(b),
    "matmul": lambda a, b: np.size(a) * np.size(b),
    "meshgrid": lambda *arrays, **others: len(arrays) * math.prod(map(np.size, arrays)),
    "pad": lambda array, pad_width, *others, **named: (
        np.size(array) * (1 + np.max(np.abs(pad_width))) ** np.ndim(array)
    ),
    "diag": lambda v, k=0: (np.size(v) + abs(k)) ** 2,
    "broadcast_to": lambda array, shape: _product(shape),
    "kron": lambda a, b: np.size(a) * np.size(b),
    "hanning": lambda n: n,
    "hamming": lambda n: n,
    "tri": lambda n, *others, **named: n * n,
}

#: Functions of `math`, none of which can run long.
_MATH = """
    acos acosh asin asinh atan atan2 atanh ceil copysign cos cosh degrees erf erfc exp expm1 fabs floor fmod frexp
    gamma hypot isclose isfinite isinf isnan isqrt ldexp lgamma log log10 log1p log2 modf pow prod radians remainder
    sin sinh sqrt tan tanh trunc
""".split()


def _product(shape: Any) -> float:
    return math.prod(abs(float(extent)) for extent in (shape if isinstance(shape, (list, tuple)) else [shape]))


def call_numpy(reference: Reference, args: Sequence[Value], kwargs: Mapping[str, Value]) -> Value:
    """Calls a function of `numpy` or `math` on constants. Raises Refused."""
    module, _, name = reference.name.partition(".")
    if name not in (_MATH if module == "math" else {*_PURE, *_SIZED}):
        raise why_refused(reference)
    constants = _Constants(reference)
    plain = [constants.plain(value) for value in args]
    named = {key: constants.plain(value) for key, value in kwargs.items()}
    if module == "math":
        return _computed(getattr(math, name), reference, plain, named)
    if named.keys() & {"out", "where", "like", "subok", "order"}:
        raise Refused(f"{reference.written} with {', '.join(sorted(named))}")
    size = _computed(_SIZED[name], reference, plain, named) if name in _SIZED else broadcast_size(plain)
    if not size <= MOST_NUMBERS:
        raise Refused(f"{reference.written} beyond measure", Reason.OVER_BUDGET)
    function = np
    for part in name.split("."):
        function = getattr(function, part)
    result = _computed(function, reference, plain, named)
    if isinstance(result, np.ndarray) and result.dtype.kind not in "fiub":
        raise Refused(f"{reference.written} of other values than numbers")
    return list(result) if name == "meshgrid" else result


def _computed(function: Any, reference: Reference, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    try:
        with np.errstate(all="ignore"):
            return bounded(function(*args, **kwargs))
    except (TypeError, ValueError, ArithmeticError, LookupError, np.exceptions.AxisError) as error:
        raise Refused(f"{reference.written} on such arguments ({type(error).__name__})") from error


class _Constants:
    """Converts values for NumPy and limits their number."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._left = MOST_NUMBERS

    def plain(self, value: Value) -> Any:
        """The value. Raises Refused for tensors and other values that are not numbers."""
        written = self._reference.written
        self._left -= value.size if isinstance(value, np.ndarray) else 1
        if self._left < 0:
            raise Refused(f"{written} beyond measure", Reason.OVER_BUDGET)
        match value:
            case None | bool() | float() | np.ndarray() | np.generic() | slice():
                return value
            case int() if value.bit_length() <= 64:
                return value
            case list() | tuple():
                items = [self.plain(item) for item in value]
                return items if isinstance(value, list) else tuple(items)
            case str() if value in ("constant", "reflect", "symmetric", "edge", "ij", "xy", "fro"):
                return value
            case Tensor():
                raise Refused(f"{written} of a tensor")
            case _ if value is FREE_EXTENT:
                raise Refused(f"{written} of a free extent")
            case _ if dtype_name(value) is not None:
                return numpy_dtype(value)
        raise Refused(f"{written} of {kind_of(value)}")
