"""JSON in one form, so that a record has one text and the text has a digest.

ASCII, keys sorted, indented by one space, a newline at the end, no number that is not finite.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(content: Mapping[str, Any]) -> bytes:
    """The text of `content`. Raises ValueError for a number that is not finite."""
    return (json.dumps(content, indent=1, sort_keys=True, allow_nan=False) + "\n").encode("ascii")


def sha256_of(data: bytes) -> str:
    """Digest in hex."""
    return hashlib.sha256(data).hexdigest()
