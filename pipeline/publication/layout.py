"""Every name on disk: what an output holds, and where.

```
OUTPUT/<model>/<version>/                              a published model
OUTPUT/<model>/<version>/assets.extra/h5ferry.json     its receipt
OUTPUT/<model>/.h5ferry-staging-<version>-<random>/    being written
OUTPUT/<model>/.h5ferry-retired-<version>-<random>/    being replaced
OUTPUT/_h5ferry/lock                                   while a run is at work
OUTPUT/_h5ferry/latest.json                            the newest run
OUTPUT/_h5ferry/runs/<run-id>/                         run.json, its signature, the report, shards
```
"""

from __future__ import annotations

#: First part of the output path that is kept for reports.
RESERVED = "_h5ferry"
LOCK = "lock"
LATEST = "latest.json"
RUNS = "runs"
RECORD, SIGNATURE = "run.json", "run.json.sig"
SHARDS = "shards-"

GRAPH = "saved_model.pb"
RECEIPT = "assets.extra/h5ferry.json"
STAGING = ".h5ferry-staging-"
RETIRED = ".h5ferry-retired-"


def output_folder(output: str, model: str, version: int) -> str:
    """Where a model's version is published, as a path or URL."""
    return f"{output.rstrip('/')}/{model}/{version}"


def run_folder(output: str, run_id: str) -> str:
    """Where a run of an output (folder or URL) leaves its record."""
    return f"{output}/{RESERVED}/{RUNS}/{run_id}"
