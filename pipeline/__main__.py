"""Entry point: `python -m pipeline` is `h5ferry`."""

from __future__ import annotations

from typing import Never

from pipeline.cli.interpreter import settle_interpreter


def main() -> Never:
    """Runs the program."""
    settle_interpreter()
    from pipeline.cli import app

    app.main()


if __name__ == "__main__":
    main()
