"""Checkpoints of a training, one for each epoch."""

from pathlib import PurePosixPath

import pytest

from pipeline.scan.epochs import Epoch, read_epoch, series
from pipeline.scan.model_names import propose


@pytest.mark.parametrize(
    ("stem", "epoch"),
    [
        ("weights.05-0.32", Epoch("weights", 5, 0.32)),
        ("weights-improvement-10-0.87", Epoch("weights-improvement", 10, 0.87)),
        ("ep012-loss3.5-val_loss4.1", Epoch("", 12, 4.1)),
        ("model_epoch_7", Epoch("model", 7, None)),
        ("checkpoint-08-val_acc=0.91", Epoch("checkpoint", 8, 0.91)),
        ("05-0.3", Epoch("", 5, 0.3)),
        ("resnet50", None),
        ("mobilenet_1.0", None),
        ("model_v2", None),
        ("weights.5", None),
    ],
)
def test_the_epoch_in_a_name(stem, epoch):
    assert read_epoch(stem) == epoch


def test_a_series_has_a_last_file_and_ones_with_the_best_metrics():
    found = series([("a", "w.05-0.32"), ("a", "w.10-0.28"), ("a", "w.15-0.30"), ("b", "w.05-0.32")])
    assert {parts: (epoch.epoch, mark) for parts, (epoch, mark) in found.items()} == {
        ("a", "w.05-0.32"): (5, "the highest metric, 0.32"),
        ("a", "w.10-0.28"): (10, "the lowest metric, 0.28"),
        ("a", "w.15-0.30"): (15, "the last"),
    }


@pytest.mark.parametrize("stems", [["w.05-0.3", "w.05-0.2"], ["w.00-0.3", "w.01-0.2"], ["w.05-0.3", "v.06-0.2"]])
def test_no_series_where_the_epochs_are_no_versions(stems):
    assert series([(stem,) for stem in stems]) == {}


def test_epochs_become_versions_of_one_model():
    proposals = propose([("runs", PurePosixPath(f"ocr/weights.{name}.hdf5")) for name in ("05-0.32", "10-0.28")])
    assert [(each.model, each.version) for each in proposals] == [("ocr/weights", 5), ("ocr/weights", 10)]
    assert proposals[1].notes == (
        "version 10 is the epoch in the name 'weights.10-0.28', the last and the lowest metric, 0.28 of the series",
    )
