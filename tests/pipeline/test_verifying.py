import pytest

from pipeline.report import ReportError
from pipeline.verifying import damage, published_outputs, verify_outputs
from tests.pipeline.registry import fake_run, run_and_read, write_registry


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    run = fake_run(write_registry(folder, ["good-1", "a/good-2", "mismatch-1"]), folder / "out")
    run_and_read(run)
    return folder / "out"


def test_sound(published, capsys):
    expected = [published / "a/good-2/1", published / "good-1/1"]
    assert sorted(published_outputs(published)) == expected
    assert sorted(published_outputs(published.with_name("out-report"))) == expected
    assert verify_outputs(published, run_samples=False)
    assert "2 of 2 outputs" in capsys.readouterr().out


def change(path):
    path.write_bytes(path.read_bytes()[::-1])


@pytest.mark.parametrize(
    "act, says",
    [
        (lambda folder: change(folder / "variables/variables.index"), "variables/variables.index was changed"),
        (lambda folder: (folder / "saved_model.pb").unlink(), "saved_model.pb is missing"),
        (lambda folder: (folder / "extra").write_text(""), "extra was added"),
        (lambda folder: (folder / "extra").symlink_to("/etc"), "no plain file"),
        (lambda folder: (folder / "assets.extra/h5ferry.json").write_text("{}"), "no readable receipt"),
    ],
)
def test_damage(tmp_path, act, says):
    run_and_read(fake_run(write_registry(tmp_path, ["good-1"]), tmp_path / "out"))
    act(tmp_path / "out/good-1/1")
    assert [says in problem for problem in damage(tmp_path / "out/good-1/1")] == [True]
    assert not verify_outputs(tmp_path / "out", run_samples=False)


def test_nothing_to_verify(tmp_path):
    with pytest.raises(ReportError):
        verify_outputs(tmp_path, run_samples=False)
