"""What a refused Lambda tells the operator, and what it takes to tell it: nothing is ever run."""

from __future__ import annotations

import base64
import marshal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fixture_files import fixture_file
from tests.transforms.hostile_models import dumped, layer, refusal, sequential, write_model
from transforms.admission.lambda_bytecode import bytecode_refusal, holds_bytecode
from transforms.architecture.custom_names import marked
from transforms.architecture.graph import Layer

#: x * 2, or the like, as compiled and marshalled by each version.
FOREIGN = {
    "3.6": (
        "4wEAAAAAAAAAAQAAAAIAAABDAAAAcwgAAAB8AGQBFABTACkCTukCAAAAqQApAdoBeHICAAAAcgIAAADaCDxzdHJpbmc+2gg8bGFtYmRhPgEA"
        "AABzAAAAAA=="
    ),
    "3.11": (
        "YwEAAAAAAAAAAAAAAAMAAAADAAAA80YAAACXAHQBAAAAAAAAAAAAAGQBpgEAAKsBAAAAAAAAAACgAQAAAAAAAAAAAAAAAAAAAAAAAAAAZAKm"
        "AQAAqwEAAAAAAAAAAFMAKQNO2gJvc+kAAAAAKQLaCl9faW1wb3J0X1/aBV9leGl0KQHaAXhzAQAAACD6CDxzdHJpbmc++gg8bGFtYmRhPnIH"
        "AAAAAQAAAHMcAAAAgACNKpBU0Qoa1Aoa1wog0gogoBHRCiPUCiOAAPMAAAAA"
    ),
}


def told(function: Any, **options: Any) -> tuple[str, tuple[str, ...]]:
    config = {"name": "scale", "function": function, "function_type": "lambda", **options}
    error = bytecode_refusal([Layer("Lambda", "scale", ("m", "scale"), config)])
    assert error.layer == ("m", "scale")
    return error.message, error.detail


def python_2_code() -> bytes:
    """`lambda x: x * 2.5` of Python 2.7, which nothing here can compile."""
    text = lambda value: b"s" + len(value).to_bytes(4, "little") + value  # noqa: E731
    number = lambda value: value.to_bytes(4, "little")  # noqa: E731
    constants = b"(" + number(2) + b"N" + b"g" + bytes.fromhex("0000000000000440")
    names = b"(" + number(0)
    arguments = b"(" + number(1) + b"t" + number(1) + b"x"
    code = text(bytes.fromhex("7c00006401001453"))
    empty = b"(" + number(0)
    return (
        b"c"
        + number(1)
        + number(1)
        + number(2)
        + number(0x43)
        + code
        + constants
        + names
        + arguments
        + empty
        + empty
        + text(b"<stdin>")
        + text(b"<lambda>")
        + number(1)
        + text(b"")
    )


def test_code_of_this_and_of_other_versions_is_told() -> None:
    message, detail = told(dumped(lambda x: __import__("os").system("echo me")))
    assert "Python 3.11" in message
    assert all(word in message for word in ("__import__", "system", "'os'", "'echo me'"))
    assert any("LOAD_METHOD system" in line for line in detail)
    assert "Python 3.6" in told([FOREIGN["3.6"], None, None])[0]
    assert "_exit" in told([FOREIGN["3.11"], None, None])[0]
    message, detail = told([base64.b64encode(python_2_code()).decode(), None, None])
    assert "Python 2.7" in message
    assert "2.5" in message
    assert any("BINARY_MULTIPLY" in line for line in detail)


def test_the_form_before_base64_and_the_newest_are_told() -> None:
    code = marshal.dumps((lambda x: x + 12345).__code__)
    assert "12345" in told([code.decode("raw_unicode_escape"), None, None])[0]
    new = {"class_name": "__lambda__", "config": {"code": base64.b64encode(code).decode(), "defaults": None}}
    assert "12345" in told(new)[0]
    assert "12345" in told("f", function_type="function", output_shape=dumped(lambda x: 12345))[0]


def test_a_function_within_a_function_is_told() -> None:
    message, detail = told(dumped(lambda x: [y for y in x if y == "inner constant"]))
    assert "inner constant" in message
    assert any("<listcomp>" in line for line in detail)


def test_a_legacy_file_says_what_its_layer_did() -> None:
    error = refusal(fixture_file("keras-2.2.4/lambda_layer").source)
    assert "the constants 2.0, 1.0" in error.message
    assert any("BINARY_MULTIPLY" in line for line in error.detail)


def bomb() -> bytes:
    """A constant of 2^60 values in a few hundred bytes, by references."""
    values: tuple[Any, ...] = (1, 2)
    for _ in range(60):
        values = (values, values)
    return marshal.dumps(values)


def with_constant(constant: bytes) -> bytes:
    """Code without references of its own, its None exchanged."""
    plain = marshal.dumps((lambda x: None).__code__, 2)
    assert plain.count(b"(\x01\x00\x00\x00N") == 1
    return plain.replace(b"(\x01\x00\x00\x00N", b"(\x01\x00\x00\x00" + constant)


UNREADABLE = {
    "nothing": b"",
    "no code": marshal.dumps((1, 2)),
    "cut short": marshal.dumps((lambda x: x).__code__)[:-9],
    "more behind": marshal.dumps((lambda x: x).__code__) + b"N",
    "deep": b"(\x01\x00\x00\x00" * 50_000 + b"N",
    "a length beyond measure": b"(\xff\xff\xff\x7fN",
    "text beyond measure": b"s\xff\xff\xff\x7f",
    "references that grow": bomb(),
    "a constant that grows": with_constant(bomb()),
    "a set of what grows": with_constant(b">\x01\x00\x00\x00" + bomb()),
    "a large code": marshal.dumps((lambda x: x).__code__) * 9_000,
    "noise": bytes(range(256)) * 64,
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_what_cannot_be_disassembled_is_said_to_be_so(what: str) -> None:
    start = time.monotonic()
    message, _ = told([base64.b64encode(UNREADABLE[what]).decode(), None, None])
    assert "cannot be disassembled" in message
    assert len(message) < 500
    assert time.monotonic() - start < 15


@pytest.mark.parametrize("function", [None, 7, [], [None, None, None], {"class_name": "__lambda__"}, "é", [{}, 1, 2]])
def test_a_lambda_of_any_form_is_refused(function: Any) -> None:
    assert "bytecode" in told(function)[0]


def test_bytecode_that_would_act_does_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    code = marshal.dumps(compile(f"lambda x: open({str(marker)!r}, 'w')", "<f>", "eval").co_consts[0])
    stored = layer("Lambda", function=[base64.b64encode(code).decode(), None, None], function_type="lambda")
    assert str(marker)[:40] in refusal(write_model(tmp_path / "m.h5", sequential(stored))).message
    assert not marker.exists()


def test_names_are_no_bytecode_and_a_replaced_lambda_is_looked_at_again() -> None:
    named = {"name": "f", "function": "scale", "function_type": "function"}
    assert not holds_bytecode(Layer("Lambda", "f", ("f",), named))
    replaced = {"name": "f", "function": marked("scale")}
    assert not holds_bytecode(Layer(marked("Lambda"), "f", ("f",), replaced))
    assert holds_bytecode(Layer(marked("Lambda"), "f", ("f",), {**replaced, "mask": dumped(lambda x: x)}))
    assert holds_bytecode(Layer("Merge", "m", ("m",), {"mode": dumped(lambda x: x), "mode_type": "lambda"}))
    assert not holds_bytecode(Layer("Merge", "m", ("m",), {"mode": "concat", "mode_type": "raw"}))
