"""Completion of the command line in bash, zsh and fish, by typer's own machinery."""

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
    """Makes typer's completions known where a shell asks for some, and costs nothing where none does."""
    if _VARIABLE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
