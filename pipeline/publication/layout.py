"""Every name on disk: what an output holds, and where.

```
OUTPUT/<model>/<version>/                              a published model
OUTPUT/<model>/<version>/assets.extra/h5ferry.json     its receipt
OUTPUT/<model>/.h5ferry-staging-<version>-<random>/    staged/ is being written, replaced/ is what it took the place of
OUTPUT/<model>/.h5ferry-retired-<version>-<random>/    being replaced
OUTPUT/_h5ferry/lock                                   while a run is at work
OUTPUT/_h5ferry/latest.json                            the newest run
OUTPUT/_h5ferry/runs/<run-id>/                         run.json, its signature, the report, shards, manifest.jsonl
```
"""

from __future__ import annotations

import re

from transforms.saved_model.file_names import GRAPH

#: First part of the output path that is kept for reports.
RESERVED = "_h5ferry"
LOCK = "lock"
LATEST = "latest.json"
RUNS = "runs"
RECORD, SIGNATURE = "run.json", "run.json.sig"
#: Of a run whose rows no file held: its manifest, beside the report.
MANIFEST = "manifest.jsonl"
SHARDS = "shards-"

#: The largest of these that are read: a record names some two hundred thousand outputs in so many bytes.
RECORD_BYTES, LATEST_BYTES, SIGNATURE_BYTES = 64 << 20, 1 << 20, 64

#: What makes a folder a SavedModel for TensorFlow.
GRAPHS = (GRAPH, "saved_model.pbtxt")
RECEIPT = "assets.extra/h5ferry.json"
RECEIPT_BYTES = 4 << 20
#: Where an upload that has begun says what it is going to write.
UPLOADING = "assets.extra/h5ferry-uploading.json"
STAGING = ".h5ferry-staging-"
RETIRED = ".h5ferry-retired-"


_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OUTPUT_NAME = re.compile(r"[^/\0]+(/[^/\0]+)*/[0-9]+")


def is_run_id(text: str) -> bool:
    """Whether a run may be called so: a name that is one part of a path, and no way out of its folder."""
    return _RUN_ID.fullmatch(text) is not None


def is_file_name(text: str) -> bool:
    """Whether a text names a file in a folder, and nothing elsewhere."""
    return text not in ("", ".", "..") and not {"/", "\\", "\0"} & set(text)


def is_output_name(text: str) -> bool:
    """Whether a text is "<model>/<version>", and no way out of the output."""
    return _OUTPUT_NAME.fullmatch(text) is not None and not {".", ".."} & set(text.split("/"))


def output_folder(output: str, model: str, version: int) -> str:
    """Where a model's version is published, as a path or URL."""
    return f"{output.rstrip('/')}/{model}/{version}"


def run_folder(output: str, run_id: str) -> str:
    """Where a run of an output (folder or URL) leaves its record."""
    return f"{output}/{RESERVED}/{RUNS}/{run_id}"
