"""Key pairs in PEM, as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def write_keys(path: Path, passphrase: bytes = b"", key: Any = None) -> None:
    """A private key, encrypted when there is a passphrase, and beside it its public half with the suffix `.pub`."""
    key = key or Ed25519PrivateKey.generate()
    encryption = forms.BestAvailableEncryption(passphrase) if passphrase else forms.NoEncryption()
    path.write_bytes(key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, encryption))
    public = key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    path.with_suffix(".pub").write_bytes(public)
