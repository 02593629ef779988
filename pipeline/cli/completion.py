"""Command-line completion in bash, zsh and fish, by typer."""

from __future__ import annotations

import os
from enum import StrEnum

_VARIABLE = "_H5FERRY_COMPLETE"


class Shell(StrEnum):
    """The shells that a script can be printed for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion_script(shell: Shell) -> str:
    """The script that makes a shell ask h5ferry for completions."""
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    return str(get_completion_script(prog_name="h5ferry", complete_var=_VARIABLE, shell=shell.value))


def prepare_to_complete() -> None:
    """Registers typer's completion classes if a shell asks for completions; does nothing otherwise."""
    if _VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
