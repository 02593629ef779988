"""A model written from a template is the model that a full save would have written, byte for byte."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from tests.fixture_files import fixture_file
from transforms.canonical import canonicalise
from transforms.errors import Reason
from transforms.legacy.model import open_legacy_model
from transforms.migration.migrate import InProcess, migrate_model
from transforms.migration.verification import Verification
from transforms.rebuild import rebuild
from transforms.records.outcome import MigrationRequest, Status
from transforms.saved_model.templates import TemplateCache, learn_template, write_from_template
from transforms.saved_model.writer import write_saved_model

ARCHITECTURES = (
    "keras-2.2.4/emb_cudnn_lstm",
    "keras-2.2.4/masked_bi_sequences",
    "keras-2.2.4/channels_first",
    "keras-2.2.4/frozen_nested_norm",
    "keras-2.3.1/cudnn_seq2seq",
    "tfkeras-1.13.1/bi_cudnn_gru",
    "tfkeras-2.15.1/normalized",
)


def retrained(source: Path, target: Path) -> Path:
    """The same model with other weights, as a second training would have left it."""
    generator = np.random.default_rng(7)
    target.write_bytes(source.read_bytes())
    with h5py.File(target, "r+") as file:

        def change(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
                noise = generator.uniform(0.9, 1.1, item.shape)
                item[...] = (item[()] * noise).astype(item.dtype)

        file["model_weights"].visititems(change)
    return target


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equal_to_a_full_save_byte_for_byte(name: str, tmp_path: Path) -> None:
    source = fixture_file(name).source
    folders = [tmp_path / part for part in ("first", "in full", "from the template")]
    for folder in folders:
        folder.mkdir()
    with open_legacy_model(source) as legacy:
        first = rebuild(canonicalise(legacy))
        write_saved_model(first, folders[0])
        template = learn_template(first, folders[0])
        assert template is not None
    with open_legacy_model(retrained(source, tmp_path / "other.h5")) as legacy:
        canonical = canonicalise(legacy)
        write_from_template(template, canonical.arrays, folders[2])
        write_saved_model(rebuild(canonical), folders[1])
    first_files, full, written = map(contents, folders)
    assert written == full
    assert full["saved_model.pb"] == first_files["saved_model.pb"]
    assert full["variables/variables.data-00000-of-00001"] != first_files["variables/variables.data-00000-of-00001"]
    assert full["fingerprint.pb"] != first_files["fingerprint.pb"]


def test_graphs_are_traced_and_loaded_once(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    verification = Verification()
    steps = InProcess(templates=TemplateCache(), verification=verification)
    outcomes = []
    for index in range(3):
        staging = tmp_path / str(index)
        staging.mkdir()
        source = fixture.source if index == 0 else retrained(fixture.source, tmp_path / f"{index}.h5")
        outcomes.append(migrate_model(MigrationRequest("m", source, staging), steps, in_full=index == 2))
    assert [outcome.status for outcome in outcomes] == [Status.MIGRATED] * 3
    assert [outcome.template_reused for outcome in outcomes] == [False, True, True]
    assert len(verification._loaded) == 1


def test_a_template_with_the_weights_of_another_model_is_a_mismatch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transforms.saved_model import templates

    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    steps = InProcess(templates=TemplateCache(), verification=Verification())
    (tmp_path / "0").mkdir()
    assert migrate_model(MigrationRequest("m", fixture.source, tmp_path / "0"), steps).status is Status.MIGRATED
    swapped = {"layer_with_weights-1/cell/kernel": 0.5}
    original = templates._tensor

    def scaled(arrays: object, slot: templates.Slot) -> object:
        factor = swapped.get(slot.key.partition("/.ATTRIBUTES")[0], 1.0)
        return original(arrays, slot) * factor  # type: ignore[arg-type]

    monkeypatch.setattr(templates, "_tensor", scaled)
    (tmp_path / "1").mkdir()
    outcome = migrate_model(MigrationRequest("m", fixture.source, tmp_path / "1"), steps)
    assert (outcome.status, outcome.template_reused) == (Status.MISMATCH, True)


def test_an_array_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    fixture = fixture_file("keras-2.2.4/emb_cudnn_lstm")
    steps = InProcess(templates=TemplateCache(), verification=Verification())
    (tmp_path / "0").mkdir()
    migrate_model(MigrationRequest("m", fixture.source, tmp_path / "0"), steps)
    broken = retrained(fixture.source, tmp_path / "broken.h5")
    with h5py.File(broken, "r+") as file:
        file["model_weights/dense_1/dense_1/kernel:0"][0, 0] = np.nan
    (tmp_path / "1").mkdir()
    outcome = migrate_model(MigrationRequest("m", broken, tmp_path / "1"), steps)
    assert (outcome.status, outcome.reason) == (Status.REFUSED, Reason.NONFINITE_WEIGHTS)


def test_the_disk_refusing_is_an_error_of_the_output(tmp_path: Path) -> None:
    with open_legacy_model(fixture_file("keras-2.2.4/emb_cudnn_lstm").source) as legacy:
        canonical = canonicalise(legacy)
        model = rebuild(canonical)
        write_saved_model(model, tmp_path)
        template = learn_template(model, tmp_path)
        assert template is not None
        with pytest.raises(OSError):
            write_from_template(template, canonical.arrays, tmp_path / "missing")


def test_forgets_the_template_that_was_not_used_for_longest() -> None:
    from transforms.saved_model import templates

    cache = TemplateCache()
    empty = templates.Template(b"", b"", b"", b"", (), (), ())
    for index in range(templates._KEPT + 1):
        cache.put(str(index), empty)
        cache.get("0")
    assert cache.get("0") is empty
    assert cache.get("1") is None
