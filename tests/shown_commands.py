"""The commands that a document shows, and the program's own parser to hold them against."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from pipeline.cli.app import app
from pipeline.run.beam_options import split_beam_options

_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SHELL = ("sh", "console")
_PROGRAM = re.compile(r"(?:^|.*[\s/])h5ferry\s+(.*)")


def shell_commands(page: Path) -> list[str]:
    """Each command of the page's shell blocks; a prompt is left out, and lines that end in a backslash are joined."""
    text = page.read_text("utf-8")
    blocks = [content for language, content in _BLOCK.findall(text) if language in _SHELL]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines if line.strip()]


def other_commands(page: Path) -> list[str]:
    """Calls of h5ferry elsewhere: in blocks of other kinds (crontab), and in the text itself."""
    text = page.read_text("utf-8")
    lines = [
        line
        for language, content in _BLOCK.findall(text)
        if language not in (*_SHELL, "text")
        for line in content.replace("\\\n", " ").splitlines()
        if "h5ferry " in line
    ]
    prose = _BLOCK.sub("", text)
    return [*lines, *(span for span in re.findall(r"`([^`\n]+)`", prose) if span.startswith("h5ferry "))]


def parse(command: str) -> None:
    """Holds a call of h5ferry against its parser: command, options, and how many arguments there may be.

    Raises whatever typer raises for a usage error; ValueError where the line calls no h5ferry.
    """
    match = _PROGRAM.fullmatch(command)
    if not match:
        raise ValueError(f"no call of h5ferry: {command}")
    words = list(_own_words(shlex.split(match[1], comments=True)))
    group = typer.main.get_command(app)
    name, arguments = words[0], [word for word in words[1:] if word not in ("-h", "--help")]
    if name == "migrate":
        arguments, _ = split_beam_options(arguments)
    parser_of(group.commands[name], name).parse_args(arguments)  # type: ignore[attr-defined]


def parser_of(command: typer.core.TyperCommand, name: str):  # type: ignore[no-untyped-def]
    context = command.context_class(command, info_name=name)
    return command.make_parser(context)


def _own_words(words: Sequence[str]) -> Iterator[str]:
    """The words of the first command of a line."""
    for word in words:
        if word in ("||", "&&", "|", ";", ">"):
            return
        yield word
