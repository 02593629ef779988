"""Every limit of `transforms.limits` as an option of a command, declared in one place."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Annotated, Any

import typer

from transforms.limits import GIB, MIB, LimitOption, Limits, limit_options


def with_limit_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds an option for each limit to a command, which receives them as its argument `limits`.

    Raises (when the command is run):
        typer.BadParameter: a value is no size, or no positive number.
    """
    own = inspect.signature(command, eval_str=True)
    options = {each.option.removeprefix("--").replace("-", "_"): each for each in limit_options()}

    @functools.wraps(command)
    def run(**arguments: Any) -> Any:
        given = {option.field: _value(option, arguments.pop(name)) for name, option in options.items()}
        return command(**arguments, limits=Limits(**given))

    # Typer builds options from the signature and the annotations, so both are rewritten; `--help` then shows
    #   --max-file-size  <str>  The largest source to read. [default: 16GiB]
    # and a line like it for every limit, in the panel "Limits".
    kept = [each for each in own.parameters.values() if each.name != "limits"]
    added = [_parameter(name, option) for name, option in options.items()]
    run.__signature__ = own.replace(parameters=[*kept, *added])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in (*kept, *added)}
    return run


def _parameter(name: str, option: LimitOption) -> inspect.Parameter:
    declared = typer.Option(option.option, help=option.help, rich_help_panel="Limits")
    return inspect.Parameter(
        name, inspect.Parameter.KEYWORD_ONLY, default=_shown(option), annotation=Annotated[str, declared]
    )


def _shown(option: LimitOption) -> str:
    if not option.is_size:
        return str(option.default)
    return f"{option.default // GIB}GiB" if option.default % GIB == 0 else f"{option.default // MIB}MiB"


def _value(option: LimitOption, text: str) -> int:
    try:
        return parse_size(text) if option.is_size else _positive(text)
    except (OptionError, ValueError) as error:
        raise typer.BadParameter(str(error), param_hint=option.option) from error


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(f"{text} is not a positive number")
    return value


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)


class OptionError(Exception):
    """The command line is invalid."""


def parse_size(text: str) -> int:
    """Bytes meant by "800M", "2GiB" or "123456"; units are powers of 1024.

    Raises:
        OptionError: the text is not a size.
    """
    match = _SIZE.fullmatch(text.strip())
    if not match or float(match[1]) <= 0:
        raise OptionError(f"{text!r} is not a size such as 800M or 2GiB.")
    return int(float(match[1]) * _UNITS[match[2].lower()])
