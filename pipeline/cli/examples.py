"""The example in each command's help. A test runs them in order."""

from __future__ import annotations

from collections.abc import Mapping

EXAMPLES: Mapping[str, str] = {
    "scan": "h5ferry scan registry -o manifest.csv",
    "inspect": "h5ferry inspect registry/tagger.h5",
    "migrate": "h5ferry migrate manifest.csv --output models --run-id first",
    "verify": "h5ferry verify models",
    "report": "h5ferry report models/_h5ferry/runs/first -o report.html",
    "diff": "h5ferry diff models/_h5ferry/runs/first models/_h5ferry/runs/second",
    "register": "h5ferry register models --to mlflow:http://127.0.0.1:5000",
    "serving-config": "h5ferry serving-config models --base-path /models -o models.config",
    "doctor": "h5ferry doctor registry",
    "completion": "h5ferry completion bash > h5ferry.bash",
}


def example(command: str) -> str:
    """The end of a command's help. Blank lines separate the lines."""
    return f"\n\nExample:\n\n{EXAMPLES[command]}"
