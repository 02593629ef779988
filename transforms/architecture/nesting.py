"""Limits the nesting depth of models and wrappers in a stored config, before any recursion."""

from __future__ import annotations

from collections.abc import Mapping

from transforms.architecture.config_values import refuse_long_name
from transforms.limits import Limits, over_budget


def refuse_deep_nesting(model_config: object, limits: Limits) -> None:
    """Counts objects that have a class and a config within such objects, without recursion.

    Raises MigrationError `over_budget`, naming the outermost enclosing layers; `invalid_config` for a name that no file
    can store a layer's weights under.
    """
    pending: list[tuple[object, int, tuple[str, ...]]] = [(model_config, 0, ())]
    while pending:
        value, depth, path = pending.pop()
        if isinstance(value, Mapping):
            if "class_name" in value and "config" in value:
                config = value["config"]
                name = config.get("name") if isinstance(config, Mapping) else None
                for each in (name, value["class_name"], value.get("name")):
                    if isinstance(each, str):
                        refuse_long_name(each, path, "name")
                path = (*path, str(name or value["class_name"])[:80]) if len(path) < _SHOWN else path
                depth += 1
                # The outermost model is level 0; its layers are level 1 and may each hold one object of their own.
                if depth > limits.nesting + _OWN_OBJECTS:
                    raise over_budget("Models and wrappers nest deep within each other", "nesting", limits, path)
            pending.extend((each, depth, path) for each in value.values())
        elif isinstance(value, list):
            pending.extend((each, depth, path) for each in value)


_SHOWN = 3
_OWN_OBJECTS = 3
