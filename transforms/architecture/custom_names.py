"""The names that custom code defines, and the mark of config objects that it defines."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.architecture.graph import Layer, walk

_MARK = "custom:"


@dataclass(frozen=True)
class CustomNames:
    """The objects that custom files define.

    Attributes:
        classes: subclasses of a Keras layer.
        functions: functions.
        own: those of both that the file defines itself, which override Keras's own of the same name.
        digest: of the files, which determine the model.
    """

    classes: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    digest: str = ""


def marked(name: str) -> str:
    """The marked class or function name of an object that custom code defines; no table of Keras classes contains
    it.
    """
    return _MARK + name


def is_custom(name: object) -> bool:
    """True for a marked name."""
    return isinstance(name, str) and name.startswith(_MARK)


def custom_name(name: str) -> str:
    """The name in the custom file: `Attention` for `custom:Attention`."""
    return name.removeprefix(_MARK)


def uses_custom_code(layer: Layer) -> bool:
    """True where a layer, or one inside it, is custom or has a custom activation."""
    return any(
        is_custom(each.class_name) or any(is_custom(value) for value in each.config.values()) for each in walk(layer)
    )
