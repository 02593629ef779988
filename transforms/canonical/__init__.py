"""Rewrites the legacy model to Keras 2 layers in canonical layout, by small named rewrites."""

from transforms.canonical.canonicalise import canonicalise
from transforms.canonical.model import CanonicalArray, CanonicalModel

__all__ = ["CanonicalArray", "CanonicalModel", "canonicalise"]
