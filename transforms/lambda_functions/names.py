"""Meanings of global names, and the functions of dotted names.

A file stores a function's code, but of global names only the names. Their conventional meaning is assumed and reported:
`K` is keras.backend, `tf` is tensorflow. A name without such a meaning is refused.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Mapping

import numpy as np

from transforms.errors import Reason
from transforms.lambda_functions.listed_functions import LISTED, Called
from transforms.lambda_functions.stored_function import plain_value
from transforms.lambda_functions.tensorflow_names import exists_in_tensorflow, tensorflow_call
from transforms.lambda_functions.trace import Era, Trace
from transforms.lambda_functions.values import Dtype, Reference, Refused, Value

#: Modules by their conventional global names.
_GLOBALS: Mapping[str, str] = {
    "K": "keras.backend",
    "backend": "keras.backend",
    "KB": "keras.backend",
    "Kb": "keras.backend",
    "keras": "keras",
    "tf_keras": "keras",
    "tk": "keras",
    "tf": "tensorflow",
    "tensorflow": "tensorflow",
    "np": "numpy",
    "numpy": "numpy",
    "math": "math",
    "ops": "keras.ops",
    "activations": "keras.activations",
}

#: Modules that a function may import.
_IMPORTED = ("keras", "tensorflow", "numpy", "math", "tf_keras")

#: Prefixes that are one module under several names, longest first.
_PREFIXES: tuple[tuple[str, str], ...] = (
    ("tensorflow.python.keras", "keras"),
    ("tensorflow.contrib.keras", "keras"),
    ("tensorflow.compat.v1.keras", "keras"),
    ("tensorflow.compat.v2.keras", "keras"),
    ("tensorflow.keras", "keras"),
    ("tf_keras", "keras"),
    ("keras.src", "keras"),
    ("keras.api", "keras"),
    ("keras.backend.tensorflow_backend.tf", "tensorflow"),
    ("keras.backend.tensorflow_backend", "keras.backend"),
    ("keras.backend.tf", "tensorflow"),
)

_DTYPES = frozenset(
    """
    float16 float32 float64 bfloat16 half double int8 int16 int32 int64 uint8 uint16 uint32 uint64 bool complex64
    complex128 string
    """.split()
)
_SYNONYMS = {"half": "float16", "double": "float64", "bool_": "bool", "float": "float64", "int": "int64"}

#: Constants of modules, by full name.
_CONSTANTS: Mapping[str, Value] = {
    "math.pi": math.pi,
    "math.e": math.e,
    "math.tau": math.tau,
    "math.inf": math.inf,
    "math.nan": math.nan,
    "numpy.pi": math.pi,
    "numpy.e": math.e,
    "numpy.inf": math.inf,
    "numpy.Inf": math.inf,
    "numpy.nan": math.nan,
    "numpy.NaN": math.nan,
    "numpy.newaxis": None,
    "tensorflow.newaxis": None,
    "keras.ops.newaxis": None,
    "tensorflow.image.ResizeMethod.BILINEAR": "bilinear",
    "tensorflow.image.ResizeMethod.NEAREST_NEIGHBOR": "nearest",
    "tensorflow.image.ResizeMethod.BICUBIC": "bicubic",
    "tensorflow.image.ResizeMethod.AREA": "area",
}

#: Constants that Python 2 looks up by name.
_PYTHON_2_CONSTANTS: Mapping[str, Value] = {"True": True, "False": False, "None": None}

#: Builtins implemented in `builtin_functions`. Others are refused by name.
_BUILTINS = frozenset(vars(builtins))


def global_value(trace: Trace, name: str) -> Value:
    """The meaning of a global name; assumed meanings are recorded. Raises Refused for a name without one."""
    if name in trace.globals_given:
        trace.globals_used[name] = None
        return plain_value(trace.globals_given[name])
    if name in _PYTHON_2_CONSTANTS:
        return _PYTHON_2_CONSTANTS[name]
    known = _GLOBALS.get(name)
    if known == "keras.ops" and not trace.era.is_keras_3:
        known = None
    if known is not None:
        trace.assumed[f"{name} is {_told(known, trace.era)}"] = None
        return Reference(known, name)
    if name in _BUILTINS:
        return Reference(f"builtins.{name}", name)
    raise Refused(f"the name {name}, which the file does not define", Reason.CUSTOM_OBJECTS_NEEDED)


def _told(module: str, era: Era) -> str:
    if module != "tensorflow" or era.tensorflow is None:
        return module
    return f"{module} {era.tensorflow}"


def imported_module(name: str, from_list: Value) -> Reference:
    """The value of `import name`: the module or, without `from`, its top-level package."""
    if name.split(".")[0] not in _IMPORTED:
        raise Refused(f"import {name}", Reason.CUSTOM_OBJECTS_NEEDED)
    shown = name if from_list else name.split(".")[0]
    return Reference(normalised(shown), shown)


def member(reference: Reference, name: str) -> Value:
    """`reference.name`: a constant, a dtype, or a further reference, whose name is checked when it is called."""
    full = normalised(f"{reference.name}.{name}")
    if full in _CONSTANTS:
        return _CONSTANTS[full]
    module, _, last = full.rpartition(".")
    if module in ("tensorflow", "numpy") and (last in _DTYPES or (module == "numpy" and last == "bool_")):
        return Dtype(_SYNONYMS.get(last, last))
    return Reference(full, f"{reference.written}.{name}")


def normalised(name: str) -> str:
    """The name, with modules by their canonical names."""
    for prefix, module in _PREFIXES:
        if name == prefix or name.startswith(f"{prefix}."):
            return module + name[len(prefix) :]
    return name


#: Modules inside Keras that define the functions of a package.
_MODULES: Mapping[str, tuple[str, ...]] = {
    "keras.ops.": ("keras.ops.numpy", "keras.ops.nn", "keras.ops.math", "keras.ops.core", "keras.ops.linalg"),
    "keras.activations.": ("keras.activations.activations",),
}

#: Functions of Keras 1 under the names of Keras 2.
_KERAS_SYNONYMS: Mapping[str, str] = {
    "keras.backend.lesser": "keras.backend.less",
    "keras.backend.lesser_equal": "keras.backend.less_equal",
    "keras.backend.pack": "keras.backend.stack",
}


def listed_call(era: Era, reference: Reference) -> Called | None:
    """The listed function with this name in the writer's libraries; None if there is none."""
    name = reference.name
    if name.startswith("tensorflow."):
        return tensorflow_call(era, name.removeprefix("tensorflow."))
    package = next((each for each, modules in _MODULES.items() if name.rpartition(".")[0] in modules), None)
    listed = LISTED.get(package + name.rpartition(".")[2] if package else _KERAS_SYNONYMS.get(name, name))
    return None if listed is None else Called(listed, listed.parameters, listed.aliases)


def exists(era: Era, name: str) -> bool | None:
    """Whether a module has a member in the writer's libraries; None if unknown."""
    full = normalised(name)
    if full in ("tensorflow.keras", "keras.backend", "keras.activations", "keras.layers"):
        return True
    if full.startswith("tensorflow."):
        return exists_in_tensorflow(era, full.removeprefix("tensorflow."))
    return True if listed_call(era, Reference(full, name)) is not None else None


def dtype_name(value: Value) -> str | None:
    """The name of a dtype given as text, as a library's object, or as a Python type; None for anything else."""
    if isinstance(value, Dtype):
        return value.name if value.of is None else None
    if isinstance(value, str) and value in _DTYPES:
        return _SYNONYMS.get(value, value)
    if isinstance(value, Reference) and value.name in ("builtins.float", "builtins.int", "builtins.bool"):
        last = value.name.rpartition(".")[2]
        return _SYNONYMS.get(last, last)
    return None


def numpy_dtype(value: Value) -> np.dtype[np.generic]:
    """The same for NumPy. Raises Refused."""
    name = dtype_name(value)
    if name is None or name in ("string", "bfloat16"):
        raise Refused("an unknown dtype")
    return np.dtype(name)
