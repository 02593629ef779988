"""Python code that a Lambda layer stores: found, listed without being run, and told to the operator.

Keras stores a lambda as `[code, defaults, closure]`, where the code is marshalled, and then base64 (from 2.1 on) or
escaped text (`func_dump` in keras/utils/generic_utils.py); from 2.13 on also as `{"class_name": "__lambda__"}`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from transforms.architecture.custom_names import marked
from transforms.architecture.graph import Layer
from transforms.errors import MigrationError, Reason

_SECONDS = 10.0
_MAX_TEXT = 1 << 20
_MAX_LISTED = 50
_NAMED = 5
_SHOWN = 6

#: Options of a Lambda layer, and of Keras 1's Merge, that may be code.
_CODE_OPTIONS = ("function", "output_shape", "mask", "mode", "output_mask")
_ADVICE = (
    "Give a function of this meaning in the manifest's `custom_objects` column, named after the layer, and pass "
    "--allow-custom-code; `h5ferry inspect` lists the bytecode."
)


def holds_bytecode(layer: Layer) -> bool:
    """True for a Lambda, or a Merge of Keras 1, that is not merely the name of a function."""
    if layer.class_name == "Lambda":
        named = isinstance(layer.config.get("function"), str) and layer.config.get("function_type") == "function"
        return not named or any(_codes(layer))
    if layer.class_name == "Merge":
        return layer.config.get("mode_type", "raw") != "raw" or any(_codes(layer))
    return layer.class_name == marked("Lambda") and any(_codes(layer))


def bytecode_refusal(layers: Sequence[Layer]) -> MigrationError:
    """The refusal `unsafe_lambda`: what the code of the first layer would do, and all listings as its detail.

    Code that cannot be listed is said to be so; that is never an error of its own.
    """
    held = [(layer, option, code) for layer in layers for option, code in _codes(layer)][:_MAX_LISTED]
    listings = _listings([code for _, _, code in held])
    first = layers[0]
    told = [_told(found, option) for (layer, option, _), found in zip(held, listings, strict=True) if layer is first]
    others = len({layer.path for layer in layers}) - 1
    more = f"; {others} more such layers" if others else ""
    detail: list[str] = []
    for (layer, option, _), found in zip(held, listings, strict=True):
        detail.append(f"{'/'.join(layer.path)} {option}: {_told(found, option)}")
        detail.extend(f"  {line}" for line in found.get("lines", ()))
    return MigrationError(
        Reason.UNSAFE_LAMBDA,
        f"The {first.class_name} layer stores Python bytecode, which is never run: "
        f"{'; '.join(told[:_NAMED]) or 'it cannot be disassembled'}{more}",
        layer=first.path,
        advice=_ADVICE,
        detail=tuple(detail),
    )


def _codes(layer: Layer) -> Iterator[tuple[str, str]]:
    """Each piece of code in a layer's config: the option, and the marshalled code as base64."""
    for option in _CODE_OPTIONS:
        text = _code_text(layer.config.get(option), str(layer.config.get(f"{option}_type")))
        if text is not None:
            yield option, text


def _code_text(value: object, kind: str) -> str | None:
    """The code in a stored function as base64; None where there is none, e.g. for a name or a shape."""
    if isinstance(value, Mapping) and value.get("class_name") == "__lambda__":
        config = value.get("config")
        value = [config.get("code")] if isinstance(config, Mapping) else [None]
        kind = "lambda"
    if isinstance(value, list) and value and (kind == "lambda" or _looks_dumped(value)):
        value = value[0]
    elif kind != "lambda":
        return None
    return _as_base64(value) if isinstance(value, str) else ""


def _looks_dumped(value: Sequence[Any]) -> bool:
    return len(value) == 3 and isinstance(value[0], str)


def _as_base64(text: str) -> str:
    """As Keras reads it (`func_load`): base64 where it is that, else escaped text."""
    if len(text) > _MAX_TEXT:
        return ""
    try:
        data = binascii.a2b_base64(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error):
        data = text.encode("raw_unicode_escape", "replace")
    return base64.b64encode(data).decode("ascii")


def _listings(codes: Sequence[str]) -> list[Mapping[str, Any]]:
    """The output of `bytecode_listing`, run in a process of its own; a failure for each code when it prints none."""
    unread: list[Mapping[str, Any]] = [{"failure": "it cannot be read within the limits"}] * len(codes)
    if not codes:
        return unread
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "transforms.admission.bytecode_listing"],
            input=json.dumps(list(codes)).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)},
            cwd="/",
            timeout=_SECONDS,
            check=True,
        )
        found = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return unread
    return found if isinstance(found, list) and len(found) == len(codes) else unread


def _told(found: Mapping[str, Any], option: str) -> str:
    """One clause, e.g. "as Python 3.6 code its function of x uses K, mean and the constants 1"."""
    if "failure" in found:
        return f"its {option} cannot be disassembled ({found['failure']})"
    uses = [*found["names"][:_SHOWN]]
    if found["constants"]:
        uses.append("the constants " + ", ".join(found["constants"][:_SHOWN]))
    arguments = ", ".join(found["arguments"][:_SHOWN])
    return f"as Python {found['version']} code its {option} of ({arguments}) uses {', '.join(uses) or 'nothing else'}"
