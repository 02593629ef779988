"""Functions that would act, grow, loop or lie: each is refused, quickly, and nothing of it is ever run."""

from __future__ import annotations

import base64
import marshal
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.transforms.hostile_models import layer, refusal, sequential, write_model
from tests.transforms.lambda_functions.stored import ERA, translated
from transforms.lambda_functions.code_object import Unreadable
from transforms.lambda_functions.layer_call import Inputs
from transforms.lambda_functions.marshal_reader import read_code
from transforms.lambda_functions.stored_function import stored_function
from transforms.lambda_functions.translate import NotTranslated, translate


def endless(x: Any) -> Any:
    while True:
        pass


def recursive(x: Any) -> Any:
    f = lambda g, y: g(g, y)  # noqa: E731
    return f(f, x)


def mutual(x: Any) -> Any:
    def even(y: Any) -> Any:
        return odd(y)

    def odd(y: Any) -> Any:
        return even(y)

    return even(x)


def nested(x: Any) -> Any:
    values: list[Any] = [0]
    for _ in range(60):
        values = [values, values]
    return x + values


def holds_itself(x: Any) -> Any:
    values: list[Any] = []
    values.append(values)
    return x + values


def doubled(x: Any) -> Any:
    text = "a"
    for _ in range(60):
        text = text + text
    return x


def many_steps(x: Any) -> Any:
    for _ in range(9_000):
        x = x + 1
    return x


def large_arrays(x: Any) -> Any:
    for _ in range(9_000):
        np.zeros((400, 400)) + np.ones((400, 400))  # type: ignore[name-defined]  # noqa: F821
    return x


def outer_product(x: Any) -> Any:
    a = np.ones((200_000, 1))  # type: ignore[name-defined]  # noqa: F821
    return x + a * a.T


def compares_shared_lists(x: Any) -> Any:
    a: list[Any] = [0]
    b: list[Any] = [0]
    for _ in range(60):
        a, b = [a, a], [b, b]
    return x if a == b else x + 1


def finds_shared_lists(x: Any) -> Any:
    a: list[Any] = [0]
    b: list[Any] = [0]
    for _ in range(60):
        a, b = [a, a], [b, b]
    return x if a in [b] else x + 1


def sums_again_and_again(x: Any) -> Any:
    numbers = list(range(10_000))
    for _ in range(5_000):
        sum(numbers)
    return x + 1


def converts_again_and_again(x: Any) -> Any:
    numbers = [[1.0] * 9_000] * 20
    for _ in range(5_000):
        np.sum(numbers)  # type: ignore[name-defined]  # noqa: F821
    return x + 1


def seeks_again_and_again(x: Any) -> Any:
    numbers = list(range(10_000))
    for _ in range(5_000):
        -1 in numbers  # noqa: B015
    return x + 1


HOSTILE: dict[str, Callable[..., Any]] = {
    "import": lambda x: __import__("os").system("echo"),
    "getattr": lambda x: getattr(x, "__class__"),  # noqa: B009
    "class of a tuple": lambda x: ().__class__.__bases__[0].__subclasses__(),
    "globals of a function": lambda x: (lambda: 0).__globals__,
    "code of a module": lambda x: np.__loader__,  # type: ignore[name-defined]  # noqa: F821
    "eval": lambda x: eval("1"),
    "open": lambda x: open("/etc/passwd").read(),  # noqa: SIM115
    "a file of TensorFlow": lambda x: tf.io.write_file("/tmp/x", "y"),  # type: ignore[name-defined]  # noqa: F821
    "a file of NumPy": lambda x: np.load("/etc/passwd"),  # type: ignore[name-defined]  # noqa: F821
    "Python code of TensorFlow": lambda x: tf.py_function(print, [x], "float32"),  # type: ignore[name-defined]  # noqa: F821
    "a random number": lambda x: K.random_normal(K.shape(x)),  # type: ignore[name-defined]  # noqa: F821
    "a state": lambda x: K.variable(0.0) + x,  # type: ignore[name-defined]  # noqa: F821
    "print": lambda x: print(x),
    "a power of a power": lambda x: x * 10**10**10,
    "a long text": lambda x: "a" * 2**40,
    "a long list": lambda x: [x] * 2**40,
    "a long range": lambda x: sum(range(2**40)),
    "a shift": lambda x: x * (1 << 2**40),
    "a format": lambda x: "%1000000000d" % 1,  # noqa: UP031
    "an endless loop": endless,
    "recursion": recursive,
    "mutual recursion": mutual,
    "lists within lists": nested,
    "a list that holds itself": holds_itself,
    "a text that doubles": doubled,
    "many steps": many_steps,
    "large arrays": large_arrays,
    "an outer product": outer_product,
    "a comparison of lists within lists": compares_shared_lists,
    "a search in lists within lists": finds_shared_lists,
    "sums of many numbers": sums_again_and_again,
    "arrays from many numbers": converts_again_and_again,
    "searches in many numbers": seeks_again_and_again,
    "a rounding to many digits": lambda x: x * round(10**100, -(10**9)),
    "a tensor beyond measure": lambda x: K.tile(x, [1, 10**9]),  # type: ignore[name-defined]  # noqa: F821
    "an exception": lambda x: [][0],
    "no tensor": lambda x: 1.0,
    "nothing of its input": lambda x: K.zeros((2, 2)),  # type: ignore[name-defined]  # noqa: F821
    "a name that the file lacks": lambda x: x * SCALE,  # type: ignore[name-defined]  # noqa: F821
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_function_is_refused_at_once(what: str) -> None:
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotTranslated) as refused:
        translated(HOSTILE[what])
    assert len(refused.value.what) < 300
    assert time.process_time() - start < 5  # under a second on a quiet machine; without budgets, for ever
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_a_sum_of_thousands_of_tensors_is_shown() -> None:
    text = translated(lambda x: sum([x] * 3_000)).text
    assert text.splitlines()[1].startswith("    y = 0 + x + x")


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
def test_what_is_no_code_is_not_read(what: str) -> None:
    with pytest.raises(Unreadable):
        stored_function([base64.b64encode(UNREADABLE[what]).decode(), None, None], "lambda")


@pytest.mark.parametrize("function", [None, 7, [], [None, None, None], {"class_name": "__lambda__"}, "é", [{}, 1, 2]])
def test_a_function_of_another_form_is_not_read(function: Any) -> None:
    with pytest.raises(Unreadable):
        stored_function(function, "lambda")


def test_code_cut_or_changed_anywhere_is_refused_or_means_something() -> None:
    """Every byte of a small function changed in turn: nothing but a refusal, or another pure function, comes of it."""
    code = marshal.dumps((lambda x: x * 2.0 + 1.0).__code__)
    inputs = Inputs(((None, 3),), (False,), False, {})
    for place in range(len(code)):
        for change in (0, 1, 0x41, 0x80, 0xFF):
            changed = code[:place] + bytes([change]) + code[place + 1 :]
            list(read_code(changed))
            try:
                translate(stored_function([base64.b64encode(changed).decode(), None, None], "lambda"), inputs, ERA)
            except (NotTranslated, Unreadable):
                continue


def test_a_slice_without_parts_is_refused() -> None:
    """BUILD_SLICE 0, which no compiler writes; found by the fuzzer."""
    code = (
        "4wEAAAAAAAAAAAAAAAYAAAADAAAA8zoAAACXAHwAZABkAIUCZAFkAoUAZAJkAGQDhQNmAxkAAAB8AGQEZAVkAYUCZABkBoUCZgMZ"
        "AAAAegAAAFMAKQdO6QEAAADp/////+kCAAAALukAAAAA6QMAAACpACkB2gF4cwEAAAAg+gs8ZnVuY3Rpb25zPvoIPGxhbWJkYT5y"
        "CgAAAAEAAABzLwAAAIAAiGGSAZAxkFKQNJkTmDGYE5AMiW+gAaAjoHGoEaBzqEKoUahCoCyhD9EOL4AA8wAAAAA="
    )
    inputs = Inputs(((None, 4, 6),), (False,), False, {})
    with pytest.raises(NotTranslated):
        translate(stored_function([code, None, None], "lambda"), inputs, ERA)


def test_bytecode_that_would_act_does_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    code = marshal.dumps(compile(f"lambda x: open({str(marker)!r}, 'w')", "<f>", "eval").co_consts[0])
    stored = layer("Lambda", function=[base64.b64encode(code).decode(), None, None], function_type="lambda")
    assert "open" in refusal(write_model(tmp_path / "m.h5", sequential(stored))).message
    assert not marker.exists()


#: Code of `lambda x: x` and `lambda shape: __import__("os").system("echo")`, marshalled by Python 3.7.
IDENTITY = (
    "YwEAAAAAAAAAAQAAAAEAAABDAAAAcwQAAAB8AFMAKQFOqQApAdoBeHIAAAAAcgAAAAD6CDxsYW1iZGE+2gg8bGFtYmRhPgEAAADzAAAAAA=="
)
IMPORTS = (
    "YwEAAAAAAAAAAQAAAAMAAABDAAAAcw4AAAB0AGQBgwGgAWQCoQFTACkDTtoCb3NaBGVjaG8pAtoKX19pbXBvcnRfX9oGc3lzdGVtKQHaBXNoYXBl"
    "qQByBAAAAPoIPGxhbWJkYT7aCDxsYW1iZGE+AQAAAPMAAAAA"
)


def test_a_function_as_output_shape_is_interpreted_too(tmp_path: Path) -> None:
    stored = layer(
        "Lambda",
        function=[IDENTITY, None, None],
        function_type="lambda",
        output_shape=[IMPORTS, None, None],
        output_shape_type="lambda",
        batch_input_shape=[None, 3],
    )
    assert "__import__" in refusal(write_model(tmp_path / "m.h5", sequential(stored))).message
