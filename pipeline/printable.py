"""Text that may be shown on a terminal, whatever it was made from."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with everything that could steer a terminal, or reverse its direction, written out."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
