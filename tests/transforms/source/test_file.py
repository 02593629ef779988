import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from transforms.source import file as source_file
from transforms.source.file import hash_file


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 400, 401, 1234])
def test_a_hash_is_that_of_all_bytes_wherever_blocks_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(source_file, "_BLOCK", 100)
    monkeypatch.setattr(source_file, "_AHEAD", 200)
    content = np.random.default_rng(size).bytes(size)
    path = tmp_path / "file"
    path.write_bytes(content)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert hash_file(descriptor) == hash_file(descriptor) == hashlib.sha256(content).hexdigest()
    finally:
        os.close(descriptor)
