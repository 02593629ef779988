"""Bytecode that interpreters of each version wrote: one meaning, whichever wrote it."""

from __future__ import annotations

import base64
import dataclasses
import json
import marshal
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.lambda_functions.stored import ERA
from transforms.lambda_functions.code_object import Unreadable
from transforms.lambda_functions.instructions import decode
from transforms.lambda_functions.layer_call import Inputs
from transforms.lambda_functions.marshal_reader import read_code
from transforms.lambda_functions.opcodes import OPCODES
from transforms.lambda_functions.stored_function import stored_function
from transforms.lambda_functions.translate import translate

STORED = json.loads((Path(__file__).parents[2] / "fixtures" / "bytecode.json").read_text())
CASES = [(version, name) for version, made in STORED["code"].items() for name in made]


def test_every_version_is_there() -> None:
    assert set(STORED["code"]) == set(OPCODES) - {"3.5"}


@pytest.mark.parametrize("version, name", CASES)
def test_each_version_means_the_same(version: str, name: str) -> None:
    code, defaults = STORED["code"][version][name]
    count = STORED["functions"][name]["inputs"]
    inputs = Inputs(((None, 4, 6),) * count, (False,) * count, count > 1, {})
    found = translate(stored_function([code, defaults, None], "lambda"), inputs, ERA)
    assert found.text == STORED["functions"][name]["meaning"]


@pytest.mark.parametrize("version", STORED["code"])
def test_code_of_a_version_is_read_as_that_one(version: str) -> None:
    """Single functions may fit several versions, which then mean the same; all of them together fit this one."""
    for code, defaults in STORED["code"][version].values():
        layouts = stored_function([code, defaults, None], "lambda").codes
        assert any(_decodes(code, version) for code in layouts if version in code.layout.versions)


def _decodes(code: Any, version: str) -> bool:
    try:
        return bool(decode(code, version))
    except Unreadable:
        return False


# Python 3.5 had operations of one or three bytes; no interpreter is at hand, so the code is put together here.


def operations_of_3_5(*operations: tuple[str, int] | str) -> bytes:
    numbers = {opcode.name: number for number, opcode in OPCODES["3.5"].items()}
    parts = []
    for operation in operations:
        name, argument = operation if isinstance(operation, tuple) else (operation, None)
        parts.append(bytes([numbers[name]]) + (b"" if argument is None else argument.to_bytes(2, "little")))
    return b"".join(parts)


def code_of_3_5(
    operations: bytes, constants: tuple[Any, ...], names: tuple[str, ...], variables: tuple[str, ...]
) -> bytes:
    """As `w_object` of 3.5 writes it: one parameter, no cells."""
    numbers = (1, 0, len(variables), 8, 0x43)
    values = (operations, constants, names, variables, (), (), "<f>", "f")
    body = b"".join(number.to_bytes(4, "little") for number in numbers)
    body += b"".join(marshal.dumps(value, 2) for value in values)
    return b"c" + body + (1).to_bytes(4, "little") + marshal.dumps(b"", 2)


OF_3_5 = {
    "lambda x: x * 2.0 + 1.0": code_of_3_5(
        operations_of_3_5(
            ("LOAD_FAST", 0), ("LOAD_CONST", 1), "BINARY_MULTIPLY", ("LOAD_CONST", 2), "BINARY_ADD", "RETURN_VALUE"
        ),
        (None, 2.0, 1.0),
        (),
        ("x",),
    ),
    "lambda x: K.sum(x, axis=1)": code_of_3_5(
        operations_of_3_5(
            ("LOAD_GLOBAL", 0),
            ("LOAD_ATTR", 1),
            ("LOAD_FAST", 0),
            ("LOAD_CONST", 1),
            ("LOAD_CONST", 2),
            ("CALL_FUNCTION", 0x101),
            "RETURN_VALUE",
        ),
        (None, "axis", 1),
        ("K", "sum"),
        ("x",),
    ),
}


@pytest.mark.parametrize("meaning", OF_3_5)
def test_code_of_3_5(meaning: str) -> None:
    stored = stored_function([base64.b64encode(OF_3_5[meaning]).decode(), None, None], "lambda")
    assert translate(stored, Inputs(((None, 4),), (False,), False, {}), ERA).text == meaning


@pytest.mark.parametrize(
    "version, operations, why",
    [
        ("3.5", operations_of_3_5(("JUMP_FORWARD", 1), ("LOAD_FAST", 0), "RETURN_VALUE"), "a jump between operations"),
        ("3.5", operations_of_3_5(("LOAD_FAST", 3), "RETURN_VALUE"), "refers to a missing entry"),
        ("3.5", operations_of_3_5(("LOAD_FAST", 0))[:2], "truncated"),
        ("3.5", b"\x00", "the operation 0"),
    ],
)
def test_what_no_compiler_writes_is_unreadable(version: str, operations: bytes, why: str) -> None:
    code = next(iter(read_code(code_of_3_5(operations, (None,), (), ("x",)))))
    with pytest.raises(Unreadable, match=why):
        decode(code, version)


#: `lambda x: x` of Python 3.13. In 3.11 and 3.12 the same bytes are COPY_FREE_VARS, SETUP_ANNOTATIONS, CHECK_EXC_MATCH.
_IDENTITY = bytes.fromhex("950055002400")
#: Of Python 3.11 and 3.12: RESUME, LOAD_FAST, RETURN_VALUE.
_IDENTITY_OF_3_11 = bytes.fromhex("97007c005300")


@pytest.mark.parametrize(
    "operations, versions",
    [(_IDENTITY, {"3.13"}), (_IDENTITY_OF_3_11, {"3.11", "3.12"}), (bytes.fromhex("7c005300"), set())],
)
def test_code_without_resume_is_of_no_version_that_writes_it(operations: bytes, versions: set[str]) -> None:
    stored, defaults = next(iter(STORED["code"]["3.13"].values()))
    genuine = next(iter(stored_function([stored, defaults, None], "lambda").codes))
    code = dataclasses.replace(genuine, instructions=operations)
    assert {version for version in ("3.11", "3.12", "3.13") if _decodes(code, version)} == versions
