"""Lists marshalled Python code of any version, in a process of its own that can do nothing else.

Run as `python -P -m transforms.admission.bytecode_listing`, fed a JSON list of base64 texts, it prints a JSON list of
`{"version", "arguments", "names", "constants", "lines"}`, or `{"failure"}` where a text is no code that can be read.
The code comes from a hostile file: memory and CPU are limited, nothing is unmarshalled by this interpreter, and an
audit hook refuses whatever would reach beyond the process.
"""

from __future__ import annotations

import base64
import io
import json
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

_MEMORY_BYTES = 400 << 20
_CPU_SECONDS = 0.7
_MAX_CODE_BYTES = 256 << 10
_MAX_CONSTANTS = 10_000
_MAX_DEPTH = 8
_MAX_LINES = 2_000
_SHOWN = 80
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")

#: Versions by the layout of their code objects, in the order in which they are tried.
_VERSIONS = ("3.6", "3.7", "3.5", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "2.7")


def _confined() -> None:
    """Limits this process for good."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    signal.setitimer(signal.ITIMER_PROF, _CPU_SECONDS)  # which ends the process
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _refuse_everything(event: str, arguments: tuple[Any, ...]) -> None:
    """The audit hook in force while foreign code is read: no import, file, process, network, compile or unmarshal."""
    if event.startswith(("object.", "cpython.")) or event == "builtins.id":
        return
    raise RuntimeError(f"{event} {arguments!r:.80} is refused")


def _reader() -> Any:
    """xdis, imported with an empty `marshal` module in place, so that nothing in it can use the interpreter's own."""
    own, sys.modules["marshal"] = sys.modules.get("marshal"), ModuleType("marshal")
    try:
        import xdis.bytecode
        import xdis.magics
        import xdis.op_imports
        import xdis.unmarshal
    finally:
        if own is not None:
            sys.modules["marshal"] = own
    return xdis


def _listing(xdis: Any, data: bytes) -> dict[str, Any]:
    if len(data) > _MAX_CODE_BYTES:
        return {"failure": f"it has more than {_MAX_CODE_BYTES:,} bytes"}
    found = sorted(_readings(xdis, data), key=lambda reading: reading[0])
    if not found:
        return {"failure": "it is no code object of Python 2.7 or 3.5 to 3.13"}
    return found[0][1]


def _readings(xdis: Any, data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """The listing in each version whose layout the data has, with the number of instructions it does not know."""
    for version in _VERSIONS:
        stream = io.BytesIO(data)
        try:
            code = xdis.unmarshal.load_code(stream, xdis.magics.magic2int(xdis.magics.magics[version]), False, {})
            if stream.read(1) or not hasattr(code, "co_code"):
                continue
            _refuse_excess(code)
            opcodes = xdis.op_imports.get_opcode_module(
                tuple(map(int, version.split("."))), xdis.version_info.PythonImplementation.CPython
            )
            unknown, lines = 0, []
            for line, is_known in _lines(xdis, code, opcodes, 0):
                unknown += not is_known
                lines.append(line)
        except (MemoryError, RecursionError):
            raise
        except Exception:  # The reader's own stumbling over data of another version, or none.
            continue
        names, constants = _summary(code)
        yield (
            unknown,
            {
                "version": version,
                "arguments": [_text(name) for name in code.co_varnames[: code.co_argcount]],
                "names": names,
                "constants": constants,
                "lines": lines,
            },
        )


def _refuse_excess(code: Any) -> None:
    """Constants may refer to each other, so that a few bytes stand for billions of values once they are written out."""
    pending, count = [(code, 0)], 0
    while pending:
        value, depth = pending.pop()
        count += 1
        if count > _MAX_CONSTANTS or depth > _MAX_DEPTH:
            raise ValueError("too many constants")
        if hasattr(value, "co_consts"):
            pending.extend((each, depth + 1) for each in value.co_consts)
        elif isinstance(value, (tuple, list, set, frozenset)):
            pending.extend((each, depth + 1) for each in value)


def _lines(xdis: Any, code: Any, opcodes: Any, depth: int) -> Iterator[tuple[str, bool]]:
    """The instructions as text, those of functions within behind them; and whether each is one that the version has."""
    indent = "  " * depth
    yield f"{indent}{_text(code.co_name)}:", True
    for count, each in enumerate(xdis.bytecode.Bytecode(code, opcodes)):
        if count > _MAX_LINES:
            yield f"{indent}  ...", True
            break
        if each.opname == "CACHE":
            continue
        yield f"{indent}  {each.offset:4} {each.opname} {_text(each.argrepr)}".rstrip(), not each.opname.startswith("<")
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            yield from _lines(xdis, constant, opcodes, depth + 1)


def _summary(code: Any) -> tuple[list[str], list[str]]:
    """Names and constants of the code and of the functions in it, each once, in order."""
    names: dict[str, None] = {}
    constants: dict[str, None] = {}
    pending = [code]
    while pending:
        current = pending.pop(0)
        names.update(dict.fromkeys(map(_text, (*current.co_names, *current.co_freevars))))
        for constant in current.co_consts:
            if hasattr(constant, "co_consts"):
                pending.append(constant)
            elif constant is not None:
                constants[_text(repr(constant))] = None
    return list(names), list(constants)


def _text(value: object) -> str:
    """A value shortened, without control characters and addresses."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    text = _ADDRESS.sub("", text[: 4 * _SHOWN])
    plain = "".join(each if each.isprintable() else "\ufffd" for each in text[:_SHOWN])
    return plain + ("..." if len(text) > _SHOWN else "")


def main() -> None:
    """Reads the texts, confines the process, answers."""
    texts: list[str] = json.loads(sys.stdin.read())
    _confined()
    xdis = _reader()
    answer = sys.stdout
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, xdis prints what it does not know
    sys.addaudithook(_refuse_everything)
    listings = []
    for text in texts:
        try:
            listings.append(_listing(xdis, base64.b64decode(text)))
        except (MemoryError, RecursionError):
            listings.append({"failure": "it nests too deep or takes too much memory"})
    answer.write(json.dumps(listings))


if __name__ == "__main__":
    main()
