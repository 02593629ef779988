"""Writes `tests/fixtures/bytecode.json`: functions marshalled by Python interpreters, which are run for it.

    scripts/bytecode_fixtures.py python2.7 python3.6 ... python3.13

Each function stands with the inputs it is called with and the one meaning that all versions must come to, as
`transforms.lambda_functions` shows it. A function that a version's syntax lacks is left out there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "tests" / "fixtures" / "bytecode.json"

#: Source, the name of the function in it, and what it means on inputs of shape (None, 4, 6).
FUNCTIONS: dict[str, tuple[str, int, str]] = {
    "arithmetic": ("f = lambda x: -(x * 2.0 + 1.0) / 3.0 - x ** 2.0", 1, "lambda x: -(x * 2.0 + 1.0) / 3.0 - x ** 2.0"),
    "reflected": ("f = lambda x: 1.0 - 2.0 / x", 1, "lambda x: 1.0 - 2.0 / x"),
    "comparison": ("f = lambda x: K.cast(x > 0.5, 'float32')", 1, "lambda x: K.cast(x > 0.5, dtype='float32')"),
    "slices": ("f = lambda x: x[:, 1:-1, ::2] + x[..., 0:1, :3]", 1, "lambda x: x[:, 1:-1, ::2] + x[..., 0:1, :3]"),
    "slice of both": ("f = lambda x: x[1:3]", 1, "lambda x: x[1:3]"),
    "slices of one bound": ("f = lambda x: x[1:] + x[:3] + x[:]", 1, "lambda x: x[1:] + x[:3] + x[:]"),
    "keywords": ("f = lambda x: K.sum(x, axis=1, keepdims=True)", 1, "lambda x: K.sum(x, axis=1, keepdims=True)"),
    "nested attributes": ("f = lambda x: tf.nn.relu(x)", 1, "lambda x: tf.nn.relu(x)"),
    "list of constants": ("f = lambda x: x * [1.0, 2.0, 3.0]", 1, "lambda x: x * [1.0, 2.0, 3.0]"),
    "conditional": (
        "f = lambda x: x if K.ndim(x) > 3 or K.ndim(x) == 3 and not K.ndim(x) < 2 else -x",
        1,
        "lambda x: x",
    ),
    "pair": ("def f(pair):\n a, b = pair\n return a - b", 2, "lambda pair: pair[0] - pair[1]"),
    "swap": ("def f(pair):\n a, b = pair\n a, b = b, a\n return a - b", 2, "lambda pair: pair[1] - pair[0]"),
    "three": ("def f(x):\n a, b, c = x, 2.0, 3.0\n a, b, c = b, c, a\n return a * b * c", 1, "lambda x: 6.0 * x"),
    "loop": (
        "def f(x):\n y = 0.0\n for i in range(4):\n  if i == 1:\n   continue\n"
        "  if i > 2:\n   break\n  y = y + x * i\n return y",
        1,
        "def f(x):\n    y = 0.0 + x * 0\n    y_2 = y + x * 2\n    return y_2",
    ),
    "while": ("def f(x):\n i = 0\n while i < 2:\n  i += 1\n return x * i", 1, "lambda x: x * 2"),
    "comprehension": (
        "f = lambda x: K.stack([x * i for i in range(3) if i != 1], axis=1)",
        1,
        "lambda x: K.stack([x * 0, x * 2], axis=1)",
    ),
    "generator": ("f = lambda x: sum(x * i for i in (1.0, 2.0))", 1, "lambda x: 0 + x * 1.0 + x * 2.0"),
    "dictionary": (
        "def f(x):\n d = {'a': 2.0, 'b': 3.0}\n d['c'] = 4.0\n return x * d['a'] * d['c']",
        1,
        "lambda x: x * 2.0 * 4.0",
    ),
    "inner function": (
        "def f(x):\n def g(t, by=2.0):\n  return t * by\n return g(x) + g(x, by=3.0)",
        1,
        "lambda x: x * 2.0 + x * 3.0",
    ),
    "inner method": ("def f(x):\n g = lambda t: K.abs(t)\n return g(x)", 1, "lambda x: K.abs(x)"),
    "inner closure": ("def f(x):\n n = 3.0\n g = lambda t: t * n\n return g(x)", 1, "lambda x: x * 3.0"),
    "closure set later": ("def f(x):\n g = lambda: n\n n = 5.0\n return x * g()", 1, "lambda x: x * 5.0"),
    "starred call": (
        "def f(x):\n a = (x, 1)\n return K.sum(*a, **{'keepdims': True})",
        1,
        "lambda x: K.sum(x, axis=1, keepdims=True)",
    ),
    "starred parameters": (
        "def f(x):\n g = lambda *a, **k: a[0] * k['w'] + len(a)\n return g(x, 1, w=2.0)",
        1,
        "lambda x: x * 2.0 + 2",
    ),
    "keyword only": (
        "def f(x):\n def g(t, *, w=2.0, v):\n  return t * w * v\n return g(x, v=3.0)",
        1,
        "lambda x: x * 2.0 * 3.0",
    ),
    "rest": ("def f(x):\n a, *b = [1.0, 2.0, 3.0]\n return x * len(b) * a", 1, "lambda x: x * 2 * 1.0"),
    "import": ("def f(x):\n from keras import backend as B\n return B.abs(x)", 1, "lambda x: keras.backend.abs(x)"),
    "in place": (
        "def f(x):\n x *= 2.0\n x -= 1.0\n x //= 3.0\n return x",
        1,
        "def f(x):\n    x_2 = x * 2.0\n    x_3 = x_2 - 1.0\n    x_4 = x_3 // 3.0\n    return x_4",
    ),
    "text": ("def f(x):\n return x if 'a' in 'cat' and 'float' + '32' == 'float32' else -x", 1, "lambda x: x"),
    "formatted": ("def f(x):\n return x * len(f'{12}a')", 1, "lambda x: x * 3"),
    "identity": ("def f(x, m=None):\n return x if m is None else m", 1, "lambda x, m=None: x"),
    "not identity": ("def f(x, m=None):\n return -x if m is not None else x", 1, "lambda x, m=None: x"),
    "product": ("f = lambda pair: pair[0] @ pair[1]", 2, "lambda pair: pair[0] @ pair[1]"),
    "with": (
        "def f(x):\n with K.name_scope('a'):\n  y = x * 2.0\n return y",
        1,
        "def f(x):\n    y = x * 2.0\n    return y",
    ),
    "two outputs": ("f = lambda x: [x, x * 2.0]", 1, "lambda x: [x, x * 2.0]"),
}

ASK = """
import base64, json, marshal, sys
made = {}
for name, source in json.loads(sys.stdin.read()):
    names = {}
    try:
        exec(compile(source, '<functions>', 'exec'), names)
    except SyntaxError:
        continue
    f = names['f']
    code = base64.b64encode(marshal.dumps(f.__code__)).decode('ascii')
    made[name] = [code, list(f.__defaults__ or ()) or None]
print(json.dumps(['%d.%d' % sys.version_info[:2], made]))
"""


def main(interpreters: list[str]) -> None:
    """Asks each interpreter and writes the file."""
    sources = json.dumps([[name, source] for name, (source, _, _) in FUNCTIONS.items()])
    stored = {}
    for interpreter in interpreters:
        answer = subprocess.run([interpreter, "-c", ASK], input=sources, capture_output=True, text=True, check=True)
        version, made = json.loads(answer.stdout)
        stored[version] = made
    meanings = {name: {"inputs": count, "meaning": meaning} for name, (_, count, meaning) in FUNCTIONS.items()}
    text = json.dumps({"functions": meanings, "code": stored}, indent=1, ensure_ascii=True)
    TARGET.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
