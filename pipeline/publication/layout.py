"""Every name on disk: the layout of an output.

```
OUTPUT/<model>/<version>/                              a published model
OUTPUT/<model>/<version>/assets.extra/h5ferry.json     its receipt
OUTPUT/<model>/.h5ferry-staging-<version>-<random>/    staged/ is being written, replaced/ is the previous version
OUTPUT/<model>/.h5ferry-retired-<version>-<random>/    being replaced
OUTPUT/_h5ferry/lock                                   while a run is active
OUTPUT/_h5ferry/latest.json                            the newest run
OUTPUT/_h5ferry/runs/<run-id>/                         run.json, its signature, the report, shards, manifest.jsonl
```
"""

from __future__ import annotations

import re

from transforms.saved_model.file_names import GRAPH

#: First part of the output path that is reserved for reports.
RESERVED = "_h5ferry"
LOCK = "lock"
LATEST = "latest.json"
RUNS = "runs"
RECORD, SIGNATURE = "run.json", "run.json.sig"
#: Manifest of a run whose rows came from no file, beside the report.
MANIFEST = "manifest.jsonl"
SHARDS = "shards-"

#: Maximum sizes of these files; a record of this size names about two hundred thousand outputs.
RECORD_BYTES, LATEST_BYTES, SIGNATURE_BYTES = 64 << 20, 1 << 20, 64

#: Files by which TensorFlow recognises a SavedModel.
GRAPHS = (GRAPH, "saved_model.pbtxt")
RECEIPT = "assets.extra/h5ferry.json"
RECEIPT_BYTES = 4 << 20
#: The list of files that an upload in progress writes.
UPLOADING = "assets.extra/h5ferry-uploading.json"
STAGING = ".h5ferry-staging-"
RETIRED = ".h5ferry-retired-"


_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_OUTPUT_NAME = re.compile(r"[^/\0]+(/[^/\0]+)*/[0-9]+")


def is_run_id(text: str) -> bool:
    """Whether a text is a valid run id: one part of a path that does not leave its folder."""
    return _RUN_ID.fullmatch(text) is not None


def is_file_name(text: str) -> bool:
    """Whether a text names a file in a folder and not elsewhere."""
    return text not in ("", ".", "..") and not {"/", "\\", "\0"} & set(text)


def is_output_name(text: str) -> bool:
    """Whether a text is "<model>/<version>" and does not leave the output."""
    return _OUTPUT_NAME.fullmatch(text) is not None and not {".", ".."} & set(text.split("/"))


def output_folder(output: str, model: str, version: int) -> str:
    """The place of a model's version, as a path or URL."""
    return f"{output.rstrip('/')}/{model}/{version}"


def run_folder(output: str, run_id: str) -> str:
    """The folder of a run's record in an output (folder or URL)."""
    return f"{output}/{RESERVED}/{RUNS}/{run_id}"
