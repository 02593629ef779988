"""Commands for registries and servers: `register`, `serving-config`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.endings import unusable


def register(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", exists=True, file_okay=False, help="An output folder.")],
    to: Annotated[str, typer.Option(metavar="mlflow:URI", help="The registry: the URL of an MLflow server.")],
    wait: Annotated[float, typer.Option(min=0, help="Seconds to wait for a run in the same output to end.")] = 3600.0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No summary.")] = False,
) -> None:
    """Make each published model a version of its registered model. What is registered already is left alone."""
    from pipeline.publication.locks import OutputInUseError, output_lock
    from pipeline.registries.register import RegistryError, register_output, summary

    def tell(text: str) -> None:
        typer.echo(text, err=True)

    try:
        with output_lock(output.resolve(), "register", wait, tell, tell):
            registrations = register_output(output, to)
    except (OutputInUseError, RegistryError) as error:
        unusable(error)
    if not quiet:
        for line in summary(registrations, to):
            tell(line)


def serving_config(
    output: Annotated[Path, typer.Argument(metavar="OUTPUT", exists=True, file_okay=False, help="An output folder.")],
    file: Annotated[
        Path | None, typer.Option("--output", "-o", help="The configuration. Default: standard output.")
    ] = None,
    base_path: Annotated[
        str, typer.Option(help="Place of OUTPUT where the server runs, such as /models. Default: its place here.")
    ] = "",
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="LABEL=MODEL:VERSION", help="A label of a version; `latest` is always there."),
    ] = None,
) -> None:
    """Write the configuration with which TensorFlow Serving serves every published model and version."""
    from pipeline.registries import serving_config as serving
    from pipeline.registries.published import RegistryError

    try:
        text = serving.serving_config(output, base_path, label or ())
        if file is None:
            typer.echo(text, nl=False)
        else:
            file.write_text(text, encoding="utf-8")
    except (RegistryError, OSError) as error:
        unusable(error)
