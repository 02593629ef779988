import json
import os
from pathlib import Path

import pytest

from pipeline.cli.app import main
from pipeline.diagnosis import examine as diagnosis
from pipeline.diagnosis.examine import Fact, State, examine
from pipeline.diagnosis.view import as_json, as_line
from pipeline.isolation.machine import Machine
from transforms.limits import MIB


def found(*places: str, run_model: bool = False) -> dict[str, Fact]:
    return {fact.name: fact for fact in examine(places, run_model=run_model)}


def test_a_model_of_its_own_comes_through() -> None:
    facts = found(run_model=True)
    assert facts["a model of its own"].state is State.GOOD, facts["a model of its own"].found
    assert "worst error 0.0e+00" in facts["a model of its own"].found
    assert [fact for fact in facts.values() if fact.state is State.BAD] == []
    assert {"h5ferry", "Python", "tensorflow", "CPUs", "memory", "workers", "GPU", "locks"} <= set(facts)


def test_what_stands_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = str(tmp_path / "none")
    with pytest.raises(SystemExit) as caught:
        main(["doctor", "--no-run-model", "--json", str(tmp_path), missing])
    assert caught.value.code == 1
    told = json.loads(capsys.readouterr().out)
    facts = {fact["name"]: fact for fact in told["facts"]}
    assert not told["sound"] and facts[missing] == {"name": missing, "state": "bad", "found": "is not there"}
    assert facts[str(tmp_path)]["found"].startswith("can be read; can be written")


def test_settings_that_are_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keras.json").write_text("{}")
    for name, value in {"KERAS_HOME": str(tmp_path), "TF_XLA_FLAGS": "x", "PYTHONPATH": "/somewhere"}.items():
        monkeypatch.setenv(name, value)
    facts = found()
    assert facts["settings"].state is State.NOTE
    assert all(name in facts["settings"].found for name in ("KERAS_HOME", "TF_XLA_FLAGS", f"{tmp_path}/keras.json"))
    assert facts["PYTHONPATH"].found == "looked at last: /somewhere"


def test_a_small_machine_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "this_machine", lambda: Machine(16, "cpu.max", 1536 * MIB, "memory.max"))
    facts = found()
    assert facts["CPUs"].found == "16 (cpu.max)" and facts["memory"].found == "1.5 GiB (memory.max)"
    assert facts["workers"].state is State.NOTE and facts["workers"].found.startswith("2 of 16 workers")


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "LIBRARIES", ("no-such-library",))
    assert found()["no-such-library"] == Fact("no-such-library", State.BAD, "is not installed")


def test_a_system_without_locks_and_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(descriptor: int) -> None:
        raise OSError(38, os.strerror(38))

    monkeypatch.setattr(diagnosis, "lock", no_locks)
    monkeypatch.setattr(diagnosis, "exchange", lambda *_: False)
    monkeypatch.setattr(diagnosis, "address_space", lambda: None)
    facts = found()
    noted = ("locks", "replacement of a version", "memory of one call into HDF5")
    assert {facts[name].state for name in noted} == {State.NOTE}


def test_both_views() -> None:
    fact = Fact("a\x1b", State.BAD, "x")
    assert as_line(fact) == "BAD   a\\x1b: x"
    assert json.loads(as_json([fact])) == {
        "sound": False,
        "facts": [{"name": "a\x1b", "state": "bad", "found": "x"}],
    }
