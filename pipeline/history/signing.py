"""Ed25519 signatures of run records: `run.json.sig` holds the 64 raw bytes of the signature of `run.json`.

Keys are PEM files, as `openssl genpkey -algorithm ed25519` writes them; `openssl pkeyutl -verify -rawin` reads the
signature.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.storage.regular_file import read_regular

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PASSPHRASE_VARIABLE = "H5FERRY_SIGN_KEY_PASSPHRASE"
_KEY_BYTES = 1 << 16


class SigningKeyError(Exception):
    """A key file cannot be used."""


@dataclass(frozen=True)
class Signer:
    """A private key, ready to sign. Only the launching process holds it, and it is never printed."""

    _key: Ed25519PrivateKey

    @property
    def public_key(self) -> str:
        """The public key: 32 bytes in hex."""
        return _raw(self._key.public_key())

    def sign(self, data: bytes) -> bytes:
        """The signature: 64 bytes."""
        return self._key.sign(data)

    def __repr__(self) -> str:
        return f"Signer({self.public_key})"


def load_signer(path: Path, passphrase: bytes | None) -> Signer:
    """Reads a private key, which may be encrypted.

    Raises:
        SigningKeyError: it cannot be read, is not an Ed25519 key, or the passphrase is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    try:
        key = load_pem_private_key(data, passphrase if b"ENCRYPTED" in data else None)
    except TypeError:
        raise SigningKeyError(
            f"{path} is encrypted: give its passphrase in {PASSPHRASE_VARIABLE}, or in a file named by"
            " --sign-key-passphrase-file."
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyError(f"{path} is no private key in PEM, or its passphrase is wrong.") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError(f"{path} is no Ed25519 key. Make one with: openssl genpkey -algorithm ed25519.")
    return Signer(key)


def read_passphrase(path: Path | None) -> bytes | None:
    """The passphrase of a private key: the first line of a file, else the environment variable, else None.

    The variable is removed from the environment.

    Raises:
        SigningKeyError: the file cannot be read.
    """
    if path is None:
        return _taken_from_environment(PASSPHRASE_VARIABLE)
    return _read(path).split(b"\n", 1)[0].removesuffix(b"\r")


def load_public_key(path: Path) -> str:
    """Reads a public key in PEM; returns its 32 bytes in hex.

    Raises:
        SigningKeyError: it cannot be read or is not an Ed25519 public key.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise SigningKeyError(f"{path} is no public key in PEM.") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SigningKeyError(f"{path} is no Ed25519 public key.")
    return _raw(key)


def is_signature(public_key: str, signature: bytes, data: bytes) -> bool:
    """True if `signature` of `data` was made with the private key of `public_key` (hex)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def signing_key(public_keys: Sequence[str], signature: bytes, data: bytes) -> str:
    """The one of `public_keys` (hex) whose private half made the signature over `data`, "" for none."""
    return next((key for key in public_keys if is_signature(key, signature, data)), "")


def _taken_from_environment(name: str) -> bytes | None:
    """A variable's value, which afterwards no child inherits and `/proc/self/environ` no longer shows."""
    given = os.environb.get(name.encode())
    if given is None:
        return None
    getenv = ctypes.CDLL(None).getenv
    getenv.restype = ctypes.c_void_p
    place = getenv(name.encode())
    if place:
        ctypes.memset(place, 0, len(given))
    del os.environ[name]
    return given


def _read(path: Path) -> bytes:
    try:
        return read_regular(Path(os.path.realpath(path)), _KEY_BYTES)
    except OSError as error:
        raise SigningKeyError(f"{path} cannot be read: {error.strerror}.") from error


def _raw(key: Ed25519PublicKey) -> str:
    return key.public_bytes_raw().hex()
