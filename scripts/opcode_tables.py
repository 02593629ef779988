"""Writes `transforms/lambda_functions/opcodes.py` from the `opcode` modules of Python interpreters, run for it.

    scripts/opcode_tables.py python2.7 python3.6 ... python3.13

No interpreter of 3.5 is needed: its operations are those of 3.6 but for the ones named below (Lib/opcode.py of 3.5).
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "transforms" / "lambda_functions" / "opcodes.py"

ASK = """
import json, opcode, sys
caches = getattr(opcode, '_inline_cache_entries', {})
if isinstance(caches, list):
    caches = dict((name, caches[number]) for name, number in opcode.opmap.items() if number < 256)
print(json.dumps(['%d.%d' % sys.version_info[:2], opcode.opmap, caches]))
"""

#: What 3.6 changed.
ONLY_3_5 = {"MAKE_CLOSURE": 134, "CALL_FUNCTION_VAR": 140, "CALL_FUNCTION_VAR_KW": 142}
SINCE_3_6 = (
    "SETUP_ANNOTATIONS CALL_FUNCTION_EX BUILD_TUPLE_UNPACK_WITH_CALL BUILD_STRING STORE_ANNOTATION FORMAT_VALUE "
    "BUILD_CONST_KEY_MAP"
).split()

HEADER = '''"""The operations of each Python's bytecode, by version: name, number, `+` the cache entries that follow.

Written by `scripts/opcode_tables.py` from the interpreters' own `opcode` modules.
"""

from __future__ import annotations

from collections.abc import Mapping

from transforms.lambda_functions.opcode import Opcode, table

'''


def main(interpreters: list[str]) -> None:
    """Asks each interpreter and writes the module."""
    tables: dict[str, Mapping[str, int]] = {}
    caches: dict[str, Mapping[str, int]] = {}
    for interpreter in interpreters:
        answer = subprocess.run([interpreter, "-c", ASK], capture_output=True, text=True, check=True)
        version, operations, entries = json.loads(answer.stdout)
        tables[version], caches[version] = operations, entries
        if version == "3.6":
            kept = {name: number for name, number in operations.items() if name not in SINCE_3_6}
            tables["3.5"], caches["3.5"] = {**kept, **ONLY_3_5}, {}
    lines = [HEADER, "#: Operations by version and number.\nOPCODES: Mapping[str, Mapping[int, Opcode]] = {\n"]
    for version in sorted(tables, key=lambda text: tuple(map(int, text.split(".")))):
        numbered = sorted((number, name) for name, number in tables[version].items() if number < 256)
        entries = " ".join(f"{name}={number}" + _plus(caches[version].get(name, 0)) for number, name in numbered)
        body = textwrap.fill(entries, 112, initial_indent=" " * 8, subsequent_indent=" " * 8)
        lines.append(f'    "{version}": table(\n        """\n{body}\n        """\n    ),\n')
    lines.append("}\n")
    TARGET.write_text("".join(lines))


def _plus(entries: int) -> str:
    return f"+{entries}" if entries else ""


if __name__ == "__main__":
    main(sys.argv[1:])
