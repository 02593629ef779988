"""A Beam file system in memory, `memory://…`, that stands in for an object store. It records the order of writes."""

from __future__ import annotations

import io
import re
import time
from typing import Any, ClassVar

from apache_beam.io.filesystem import BeamIOError, FileMetadata, FileSystem

SCHEME = "memory"


class MemoryFileSystem(FileSystem):
    objects: ClassVar[dict[str, bytes]] = {}
    written: ClassVar[list[str]] = []
    failing: str = ""

    @classmethod
    def scheme(cls) -> str:
        return SCHEME

    def join(self, basepath: str, *paths: str) -> str:
        return "/".join([basepath.rstrip("/"), *(path.strip("/") for path in paths)])

    def split(self, path: str) -> tuple[str, str]:
        head, _, tail = path.rpartition("/")
        return head, tail

    def mkdirs(self, path: str) -> None:
        pass

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Any:
        for path, data in sorted(self.objects.items()):
            if path.startswith(dir_or_prefix):
                yield FileMetadata(path, len(data), time.time())

    def create(self, path: str, mime_type: str = "", compression_type: str = "") -> Any:
        return _Sink(path)

    def open(self, path: str, mime_type: str = "", compression_type: str = "") -> Any:
        if path not in self.objects:
            raise BeamIOError("Open failed", {path: FileNotFoundError(path)})
        return io.BytesIO(self.objects[path])

    def copy(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            self.objects[destination] = self.objects[source]

    def rename(self, source_file_names: list[str], destination_file_names: list[str]) -> None:
        for source, destination in zip(source_file_names, destination_file_names, strict=True):
            self.objects[destination] = self.objects.pop(source)

    def exists(self, path: str) -> bool:
        return path in self.objects

    def size(self, path: str) -> int:
        return len(self.objects[path])

    def last_updated(self, path: str) -> float:
        return time.time()

    def checksum(self, path: str) -> str:
        return str(hash(self.objects[path]))

    def metadata(self, path: str) -> FileMetadata:
        return FileMetadata(path, len(self.objects[path]), time.time())

    def delete(self, paths: list[str]) -> None:
        for path in paths:
            for found in [
                name for name in self.objects if re.match(re.escape(path).replace(r"\*", ".*") + "($|/)", name)
            ]:
                del self.objects[found]


class _Sink(io.BytesIO):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def close(self) -> None:
        if not self.closed:
            if MemoryFileSystem.failing and self._path.endswith(MemoryFileSystem.failing):
                MemoryFileSystem.failing = ""
                raise OSError("the store is full")
            MemoryFileSystem.objects[self._path] = self.getvalue()
            MemoryFileSystem.written.append(self._path)
        super().close()
