"""Executes custom code: the only place where an operator's Python file is run, only in the converting process."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import tf_keras

from transforms.architecture.custom_names import CustomNames
from transforms.custom.keras_compat import old_keras
from transforms.custom.layer_compat import Era
from transforms.errors import MigrationError, Reason
from transforms.limits import DEFAULT_LIMITS
from transforms.records.runtime import Runtime
from transforms.source.file import read_regular

_MODULE = "h5ferry_custom_code"


@dataclass(frozen=True)
class CustomCode:
    """The definitions of the executed files.

    Attributes:
        classes, functions: by name.
        names: the same as plain names, for use without the code.
        modules: the executed modules, in order.
    """

    classes: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Any] = field(default_factory=dict)
    names: CustomNames = field(default_factory=CustomNames)
    modules: tuple[ModuleType, ...] = ()

    def scope(self) -> Any:
        """A context in which tf-keras finds all definitions by name, for configs within custom configs."""
        return tf_keras.utils.custom_object_scope({**self.functions, **self.classes})


@contextlib.contextmanager
def custom_code(files: Sequence[Path], runtime: Runtime) -> Iterator[CustomCode]:
    """Executes the files, and keeps old Keras importable until the context ends, for imports inside functions.

    Args:
        files: Python files.
        runtime: the Keras that the model was written with, whose defaults apply.

    Raises:
        MigrationError: `custom_objects_needed` when a file cannot be read or executed.
    """
    with old_keras(Era.of(runtime)), _settings_kept():
        modules: list[ModuleType] = []
        try:
            for index, file in enumerate(files):
                modules.append(_executed(file, f"{_MODULE}_{index}" if index else _MODULE))
            yield _collected(modules, files)
        finally:
            for module in modules:
                sys.modules.pop(module.__name__, None)


@contextlib.contextmanager
def _settings_kept() -> Iterator[None]:
    """Restores the settings of tf-keras that old code often changes."""
    backend, registered = tf_keras.backend, tf_keras.utils.get_custom_objects()
    before = backend.floatx(), backend.image_data_format(), dict(registered)
    try:
        yield
    finally:
        backend.set_floatx(before[0])
        backend.set_image_data_format(before[1])
        registered.clear()
        registered.update(before[2])


def failure(what: str, error: BaseException, layer: tuple[str, ...] = ()) -> MigrationError:
    """The error for an exception in custom code."""
    said = _cause(str(error))
    return MigrationError(
        Reason.CUSTOM_OBJECTS_NEEDED,
        f"{what} raised {type(error).__name__}: {said}",
        layer=layer,
        advice="Correct the Python file, or provide the one that the model was trained with.",
    )


#: What Keras and AutoGraph put around the message of an exception: where it was raised, and on which arguments.
_AROUND = re.compile(r'Exception encountered when calling |in user code:|Call arguments received|File "')
_LONGEST_CAUSE = 400


def _cause(text: str) -> str:
    """The message of an exception without what Keras and AutoGraph put around it; a long one keeps its end."""
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", text)]
    causes = [each for each in paragraphs if each and not _AROUND.match(each)]
    said = " ".join(causes or paragraphs)
    return said if len(said) <= _LONGEST_CAUSE else f"… {said[-_LONGEST_CAUSE:]}"


def _executed(file: Path, name: str) -> ModuleType:
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module  # `inspect` and AutoGraph look it up there
    try:
        exec(compile(_source(file), str(file), "exec"), vars(module))
    except (Exception, SystemExit) as error:
        sys.modules.pop(name, None)
        if isinstance(error, (MigrationError, MemoryError)):
            raise
        raise failure(f"The custom code {file.name}", error) from error
    return module


def _source(file: Path) -> bytes:
    return read_regular(file, "custom code", DEFAULT_LIMITS, "json_bytes")


def _collected(modules: Sequence[ModuleType], files: Sequence[Path]) -> CustomCode:
    classes: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    own: set[str] = set()
    for module in modules:
        listed = vars(module).get("CUSTOM_OBJECTS")
        offered = {**vars(module), **(listed if isinstance(listed, Mapping) else {})}
        for name, value in offered.items():
            if inspect.isclass(value) and issubclass(value, tf_keras.layers.Layer):
                classes[name] = value
            elif callable(value) and not inspect.isclass(value) and not name.startswith("__"):
                functions[name] = value
            else:
                continue
            if getattr(value, "__module__", "") == module.__name__ or (isinstance(listed, Mapping) and name in listed):
                own.add(name)
    digest = hashlib.sha256(b"".join(hashlib.sha256(_source(file)).digest() for file in files)).hexdigest()
    names = CustomNames(frozenset(classes), frozenset(functions), frozenset(own), digest)
    return CustomCode(classes, functions, names, tuple(modules))
