"""The registries that are migrated: retrained copies of a genuine file, and large stacks in a genuine file's format."""

from __future__ import annotations

import copy
import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
#: A Bidirectional CuDNN network of Keras 2.3.1 on TensorFlow 1.15.
RETRAINED = "keras-2.3.1/bi_cudnn_gru"
#: Where large stacks take their layers' configs from: Keras 2.2.4, with Embedding and Dense.
_STACK_FORMAT = "keras-2.2.4/emb_cudnn_lstm"
_LAYERS_OF_A_STACK = 8


def retrained_copies(count: int, folder: Path, name: str = RETRAINED) -> list[Path]:
    """Copies of a fixture with other weights each, as many trainings would have left them."""
    folder.mkdir(parents=True, exist_ok=True)
    content = (FIXTURES / f"{name}.h5").read_bytes()
    paths = []
    for index in range(count):
        path = folder / f"{index:05}.h5"
        path.write_bytes(content)
        _perturb(path, np.random.default_rng(index))
        paths.append(path)
    return paths


def _perturb(path: Path, generator: np.random.Generator) -> None:
    with h5py.File(path, "r+") as file:

        def change(_: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
                item[...] = (item[()] * generator.uniform(0.9, 1.1, item.shape)).astype(item.dtype)

        file["model_weights"].visititems(change)


def different_architectures(count: int) -> list[tuple[str, Path]]:
    """Fixtures of Keras 2 and tf.keras, which the peers read too: (name, file), spread over all producers."""
    with (FIXTURES / "fixtures.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if _is_keras_2(row) and "refused" not in row["features"].split()]
    unlike = {Path(row["model"]).name: row for row in rows}.values()  # one for each network, whoever wrote it
    return [(row["model"], FIXTURES / row["source"]) for row in list(unlike)[:count]]


def _is_keras_2(row: dict[str, str]) -> bool:
    return not row["producer"].startswith(("keras-1", "keras-3"))


def write_stack(path: Path, size: int, seed: int) -> int:
    """Writes Embedding, average and Dense layers as Keras 2.2.4 saved them, its weights about `size` bytes in all.

    Returns:
        The bytes of its largest tensor, about an eighth of the whole.
    """
    units = max(8, int((size / 4 / _LAYERS_OF_A_STACK) ** 0.5))
    config, arrays = _stack(units)
    generator = np.random.default_rng(seed)
    with h5py.File(path, "w") as file:
        for item in (file, file.create_group("model_weights")):
            item.attrs["keras_version"] = b"2.2.4"
            item.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(config).encode()
        weights = file["model_weights"]
        weights.attrs["layer_names"] = [name.encode() for name in arrays]
        for layer, shapes in arrays.items():
            group = weights.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{weight}".encode() for weight in shapes] or np.array([], "S1")
            for weight, shape in shapes.items():
                values = generator.random(shape, np.float32)
                values -= np.float32(0.5)
                values *= np.float32(3.4 / shape[0] ** 0.5 if len(shape) > 1 else 0.1)
                group.create_dataset(f"{layer}/{weight}", data=values)
    return units * units * 4


def _stack(units: int) -> tuple[dict[str, Any], dict[str, dict[str, tuple[int, ...]]]]:
    """(model config, shapes of arrays by layer and weight name)."""
    with h5py.File(FIXTURES / f"{_STACK_FORMAT}.h5", "r") as file:
        config = json.loads(file.attrs["model_config"])
    stored = config["config"] if isinstance(config["config"], list) else config["config"]["layers"]
    by_class = {layer["class_name"]: layer for layer in stored}
    embedding = _renamed(by_class["Embedding"], "embedding_1")
    embedding["config"] |= {"input_dim": units, "output_dim": units, "mask_zero": False}
    average = {
        "class_name": "GlobalAveragePooling1D",
        "config": {"name": "average_1", "trainable": True, "data_format": "channels_last"},
    }
    layers, arrays = [embedding, average], {"embedding_1": {"embeddings:0": (units, units)}, "average_1": {}}
    for number in range(1, _LAYERS_OF_A_STACK):
        dense = _renamed(by_class["Dense"], f"dense_{number}")
        dense["config"] |= {"units": units, "activation": "linear"}
        layers.append(dense)
        arrays[f"dense_{number}"] = {"kernel:0": (units, units), "bias:0": (units,)}
    return {"class_name": "Sequential", "config": {"name": "sequential_1", "layers": layers}}, arrays


def _renamed(layer: dict[str, Any], name: str) -> dict[str, Any]:
    changed = copy.deepcopy(layer)
    changed["config"]["name"] = name
    return changed


def write_manifest(path: Path, sources: Iterable[tuple[str, Path]]) -> Path:
    """A manifest of (model name, source), in order."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("model", "source"))
        writer.writerows((name, source) for name, source in sources)
    return path


def put_out_of_the_page_cache(paths: Iterable[Path]) -> None:
    """Makes the next read come from the disk (Linux honours this for pages that are written and not mapped)."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)
