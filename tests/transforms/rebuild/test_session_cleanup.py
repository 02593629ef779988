import gc

import pytest

from transforms.rebuild import session_cleanup as forgotten_models
from transforms.rebuild.session_cleanup import KerasCleanup


@pytest.mark.parametrize(
    ("weights", "collections"),
    [([0] * 7, 0), ([0] * 8, 1), ([0] * 17, 2), ([1 << 20, 40 << 20, 1 << 20], 1), ([20 << 20] * 4, 2)],
)
def test_a_collection_waits_for_eight_models_or_many_bytes(
    monkeypatch: pytest.MonkeyPatch, weights: list[int], collections: int
) -> None:
    seen: list[None] = []
    monkeypatch.setattr(forgotten_models.gc, "collect", lambda: seen.append(None))
    forgotten = KerasCleanup()
    for weight in weights:
        forgotten.add(weight)
    assert len(seen) == collections
    assert gc.isenabled()
