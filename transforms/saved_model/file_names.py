"""Names of the files of a SavedModel, below its folder."""

from __future__ import annotations

GRAPH = "saved_model.pb"
FINGERPRINT = "fingerprint.pb"
METADATA = "keras_metadata.pb"
#: Prefix of the checkpoint with the variables.
VARIABLES = "variables/variables"
VARIABLES_INDEX = f"{VARIABLES}.index"
