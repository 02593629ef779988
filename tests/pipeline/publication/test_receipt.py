import json
import math
import os
from dataclasses import replace

import pytest

from pipeline.publication.outcome_columns import OutcomeColumns
from pipeline.publication.receipt import (
    Receipt,
    ReceiptKey,
    is_complete,
    list_files,
    parse_receipt,
    sealed,
    why_published_again,
)
from tests.pipeline.fakes import write_artefact, write_extras
from transforms.errors import MigrationError
from transforms.records.signature import ModelSignature, SignatureTensor

KEY = ReceiptKey("a" * 64, "", "b" * 64, "", "theano", 1e-4, 1e-5, "rebuilt")


@pytest.fixture
def folder(tmp_path):
    write_artefact(tmp_path, b"weights")
    write_extras(tmp_path)
    return tmp_path


@pytest.fixture
def receipt(folder):
    outcome = OutcomeColumns(max_rel_error=0.5, max_abs_error=math.inf, rewrites=("a: b",), samples=3)
    return Receipt("m", 1, KEY, list_files(folder), outcome, "run", "attempt")


def test_round_trip(receipt):
    found = parse_receipt(receipt.to_json().encode())
    assert (found.key, found.files, found.sha256, found.size) == (KEY, receipt.files, receipt.sha256, receipt.size)
    assert json.loads(receipt.to_json())["outcome"]["tolerance_used"] is None
    assert math.isnan(found.outcome.tolerance_used)
    assert replace(found.outcome, tolerance_used=0, reference_max_abs_error=0) == replace(
        receipt.outcome, tolerance_used=0, reference_max_abs_error=0
    )


def test_the_signature_comes_back(receipt):
    text = SignatureTensor("te/xt", "te_xt", "serving_default_te_xt:0", "string", (None, 3), 0, "x0")
    held = replace(receipt, signature=ModelSignature((text,)))
    assert parse_receipt(held.to_json().encode()).signature == held.signature
    assert str(text) == "te_xt: string (?, 3), x0, layer te/xt, serving_default_te_xt:0"
    assert parse_receipt(changed(receipt, signature={"inputs": [1]})) is None


def test_what_makes_it_another_is_told():
    assert why_published_again(KEY, KEY) == ""
    older = replace(KEY, migration_version=1, atol=1e-3)
    assert why_published_again(older, KEY) == (
        f"Published again because atol 0.001 is now 1e-05, migration_version 1 is now {KEY.migration_version}."
    )


def test_a_receipt_of_another_version_is_read_as_far_as_it_is_known(receipt):
    """One that lacks columns is read with their defaults, one that has further ones without them."""
    outcome = parse_receipt(changed(receipt, outcome={"samples": 3, "backend": "theano", "later": [1]})).outcome
    assert (outcome.samples, outcome.backend, outcome.rewrites) == (3, "theano", ())


@pytest.mark.parametrize(
    "column, value", [("samples", "3"), ("samples", None), ("rewrites", "a"), ("rewrites", [1]), ("backend", 1)]
)
def test_a_column_of_another_type_makes_it_none(receipt, column, value):
    assert parse_receipt(changed(receipt, outcome={column: value})) is None


def test_lists_every_file_but_itself(folder, receipt):
    (folder / "assets.extra/h5ferry.json").write_text("x")
    assert list_files(folder) == receipt.files
    assert [file.path for file in receipt.files] == [
        "assets.extra/samples.npz",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]


@pytest.mark.parametrize("kind", ["link", "fifo", "link to folder"])
def test_only_plain_files(folder, kind):
    path = folder / "assets"
    os.mkfifo(path) if kind == "fifo" else path.symlink_to("/etc" if "folder" in kind else "/etc/hostname")
    with pytest.raises(MigrationError, match="no plain file"):
        list_files(folder)


def test_complete_means_every_file_with_its_size(folder, receipt):
    assert is_complete(receipt, folder)
    (folder / "saved_model.pb").write_bytes(b"grap")
    assert not is_complete(receipt, folder)
    (folder / "saved_model.pb").unlink()
    assert not is_complete(receipt, folder)


def changed(receipt, **changes):
    content = json.loads(receipt.to_json()) | changes
    del content["seal"]
    return sealed(content)


def test_a_changed_byte_makes_it_none(receipt):
    text = receipt.to_json().encode()
    assert parse_receipt(changed(receipt)).to_json() == receipt.to_json()  # figures that are nan are equal to none
    for position in range(len(text)):
        assert parse_receipt(text[:position] + bytes([text[position] ^ 1]) + text[position + 1 :]) is None, position
    assert parse_receipt(text + b"\n") is None


def test_what_is_no_receipt(receipt):
    escape = [{"path": "../x", "size": 1, "sha256": ""}]
    bad = [b"", b"{", b"[]", b"null", b"\xff", b'{"format": 1}', receipt.to_json()[:-9].encode()]
    bad += [changed(receipt, format=2), changed(receipt, files=[]), changed(receipt, files=escape)]
    bad += [changed(receipt, key={}), changed(receipt, surprise=1), changed(receipt, output_sha256="0")]
    assert [parse_receipt(text) for text in bad] == [None] * len(bad)


def test_digest_depends_on_paths_and_content(receipt):
    renamed = Receipt("m", 1, KEY, tuple(reversed(receipt.files)))
    assert renamed.sha256 == receipt.sha256 != Receipt("m", 1, KEY, receipt.files[1:]).sha256
