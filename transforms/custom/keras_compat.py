"""Provides `keras`, `tensorflow.keras` and `tensorflow.python.keras` as modules over tf-keras while custom code runs.

Old code imports the same object from many places: `keras.engine.topology.Layer`, `keras.layers.core.Dense`,
`tensorflow.python.keras.utils.generic_utils`. Each such module is made on import, and looks names up in the part of
tf-keras that replaced it.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import tensorflow as tf
import tf_keras

from transforms.custom.layer_compat import OLD_LAYERS, Era, initialization

_ROOTS = ("tensorflow.python.keras", "tensorflow.keras", "keras")
_LAYERS = ("tf_keras.layers", "tf_keras.src.engine.base_layer", "tf_keras.src.engine.input_spec")

#: The module with the names of a part of Keras, by the first word after `keras.`; by default the module of that name.
_SOURCES: dict[str, tuple[str, ...]] = {
    "": ("tf_keras",),
    "layers": _LAYERS,
    "engine": (*_LAYERS, "tf_keras.models", "tf_keras", "tf_keras.src.engine.base_layer_utils"),
    "legacy": _LAYERS,
    "objectives": ("tf_keras.losses",),
    "utils": (
        "tf_keras.utils",
        "tf_keras.src.utils.generic_utils",
        "tf_keras.src.utils.conv_utils",
        "tf_keras.src.utils.tf_utils",
        "tf_keras.src.utils.np_utils",
    ),
}

#: Names of old modules that tf-keras lacks.
_EXTRA: dict[str, dict[str, Any]] = {
    "layers": OLD_LAYERS,
    "engine": OLD_LAYERS,
    "legacy": OLD_LAYERS,
    "initializations": {"get": initialization},
    "backend": {
        "get_variable_shape": tf_keras.backend.int_shape,
        "image_dim_ordering": lambda: "tf",
        "is_tensor": tf.is_tensor,
        "normalize_data_format": lambda value: value or tf_keras.backend.image_data_format(),
        "set_image_dim_ordering": lambda _: None,
        "slice": lambda x, start, size: tf.slice(x, start, size),
    },
}


@contextlib.contextmanager
def old_keras(era: Era) -> Iterator[None]:
    """Installs the old modules while the context lasts.

    Args:
        era: the Keras whose defaults apply.
    """
    finder = _Finder()
    hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if _root(name)}
    attributes = [(tf, "keras")]
    if "tensorflow.python" in sys.modules:
        attributes.append((sys.modules["tensorflow.python"], "keras"))
    before = [(module, name, vars(module).get(name)) for module, name in attributes]
    era_before, Era.current = Era.current, era
    sys.meta_path.insert(0, finder)
    try:
        tf.keras = importlib.import_module("tensorflow.keras")
        yield
    finally:
        sys.meta_path.remove(finder)
        Era.current = era_before
        for name in [name for name in sys.modules if _root(name)]:
            del sys.modules[name]
        sys.modules.update(hidden)
        for module, name, value in before:
            if value is not None:
                setattr(module, name, value)
            elif name in vars(module):
                delattr(module, name)


def _root(name: str) -> str:
    """The root of a module name, "" for a module outside old Keras."""
    return next((root for root in _ROOTS if name == root or name.startswith(f"{root}.")), "")


class _OldModule(ModuleType):
    """A module whose names are looked up in tf-keras."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__: list[str] = []
        self._rest = name[len(_root(name)) :].strip(".")

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return sorted({key for source in self._sources()[:1] for key in vars(source) if not key.startswith("_")})
        if name == "__version__" and not self._rest:
            return "2.3.1"
        if name.startswith("__"):
            raise AttributeError(name)
        head = self._rest.partition(".")[0]
        extra = _EXTRA.get(head, {})
        if name in extra:
            return extra[name]
        if not self._rest and (name in _SOURCES or name in _EXTRA or isinstance(_found(self, name), ModuleType)):
            return importlib.import_module(f"{self.__name__}.{name}")
        value = _found(self, name)
        if value is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} in Keras 2")
        return value

    def _sources(self) -> Sequence[ModuleType]:
        head = self._rest.partition(".")[0]
        names = [*_SOURCES.get(head, (f"tf_keras.{head}",)), f"tf_keras.{self._rest}", f"tf_keras.src.{self._rest}"]
        return [module for name in names if (module := _module(name)) is not None]


def _found(module: _OldModule, name: str) -> Any:
    for source in module._sources():
        value = getattr(source, name, None)
        if value is not None:
            return value
    return None


def _module(name: str) -> ModuleType | None:
    try:
        return importlib.import_module(name.rstrip("."))
    except ImportError:
        return None


class _Finder(MetaPathFinder, Loader):
    """Import finder that makes the old modules."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if not _root(fullname):
            return None
        module = _OldModule(fullname)
        known = module._rest.partition(".")[0] in {*_SOURCES, *_EXTRA} or module._sources()
        return ModuleSpec(fullname, self, is_package=True) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _OldModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        del module
