import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from pipeline.history.signing import (
    PASSPHRASE_VARIABLE,
    SigningKeyError,
    is_signature,
    load_public_key,
    load_signer,
    read_passphrase,
)
from tests.pipeline.key_files import write_keys

SECRET = b"a secret"


@pytest.fixture
def keys(tmp_path):
    write_keys(tmp_path / "plain")
    write_keys(tmp_path / "locked", SECRET)
    write_keys(tmp_path / "curve", key=generate_private_key(SECP256R1()))
    (tmp_path / "text").write_text("no key")
    return tmp_path


@pytest.mark.parametrize("name, passphrase", [("plain", None), ("plain", SECRET), ("locked", SECRET)])
def test_signature(keys, name, passphrase):
    signer = load_signer(keys / name, passphrase)
    assert signer.public_key == load_public_key(keys / f"{name}.pub")
    signature = signer.sign(b"data")
    assert len(signature) == 64 and is_signature(signer.public_key, signature, b"data")
    for position in range(64):
        wrong = bytes(byte ^ (index == position) for index, byte in enumerate(signature))
        assert not is_signature(signer.public_key, wrong, b"data")
    assert not is_signature(signer.public_key, signature + b"\n", b"data")
    assert not is_signature(signer.public_key, signature, b"other")
    assert not is_signature("no hex", signature, b"data")
    assert repr(signer) == f"Signer({signer.public_key})"


@pytest.mark.parametrize(
    "name, passphrase, says",
    [
        ("locked", None, "is encrypted"),
        ("locked", b"wrong", "passphrase is wrong"),
        ("curve", None, "no Ed25519 key"),
        ("text", None, "no private key"),
        ("plain.pub", None, "no private key"),
        ("none", None, "cannot be read"),
    ],
)
def test_unusable_private_key(keys, name, passphrase, says):
    with pytest.raises(SigningKeyError, match=says):
        load_signer(keys / name, passphrase)


@pytest.mark.parametrize(
    "name, says", [("plain", "no public key"), ("curve.pub", "no Ed25519"), ("none", "cannot be read")]
)
def test_unusable_public_key(keys, name, says):
    with pytest.raises(SigningKeyError, match=says):
        load_public_key(keys / name)


def test_passphrase(tmp_path, monkeypatch):
    monkeypatch.delenv(PASSPHRASE_VARIABLE, raising=False)
    assert read_passphrase(None) is None
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "from there")
    assert read_passphrase(None) == b"from there"
    (tmp_path / "p").write_bytes(b"a secret\r\nmore")
    assert read_passphrase(tmp_path / "p") == SECRET
