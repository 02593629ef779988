"""Makes untrusted text safe to show on a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with control characters and direction marks escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )
