"""A registry as MLflow 1.30 with Keras 2.15 left it: `python -m legacy_fixtures.mlflow_registry OUT`.

OUT/mlflow.db and OUT/artifacts are the registry; OUT/golden/<model>-<version>.npz hold inputs (`x0`, …) and what
Keras 2.15 answered (`y0`, …), which MLflow does not record. Three versions of each of two models: one name has a space,
stages differ, one version was logged with a table as input example, one with named tensors.
"""

import os
import shutil
import sqlite3
import sys
from pathlib import Path

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")

import keras
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient

COLUMNS = ["income", "age", "debt", "rate"]


def credit_risk(rng):
    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((4,), name="applicant"), layers.Dense(5, activation="tanh"), layers.Dense(1, activation="sigmoid")]
    )
    return drawn(model, rng), [rng.normal(size=(6, 4)).astype("float32")]


def tagger(rng):
    layers = keras.layers
    words, case = layers.Input((None,), name="words"), layers.Input((None, 2), name="case")
    x = layers.Concatenate()([layers.Embedding(11, 3)(words), case])
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)
    tags = layers.Dense(3, activation="softmax", name="tags")(x)
    score = layers.Dense(2, name="score")(layers.GlobalMaxPooling1D()(x))
    inputs = [rng.integers(0, 11, size=(3, 5)).astype("float32"), rng.normal(size=(3, 5, 2)).astype("float32")]
    return drawn(keras.Model([words, case], [tags, score]), rng), inputs


def drawn(model, rng):
    model.set_weights([rng.normal(scale=0.5, size=each.shape).astype("float32") for each in model.get_weights()])
    return model


def example_of(name, version, inputs):
    """A table for the second version of the first model, named tensors for the third of the second; else nothing."""
    if (name, version) == ("credit risk", 2):
        return pd.DataFrame(inputs[0], columns=COLUMNS)
    if (name, version) == ("tagger", 3):
        return {"words": inputs[0], "case": inputs[1]}
    return None


def log_version(name, make, version, golden):
    rng = np.random.default_rng(100 * version + len(name))
    model, inputs = make(rng)
    outputs = model.predict(inputs, verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    example = example_of(name, version, inputs)
    signature = None if example is None else infer_signature(example)
    with mlflow.start_run():
        mlflow.keras.log_model(
            model,
            "model",
            registered_model_name=name,
            input_example=example,
            signature=signature,
            keras_module=keras,
            save_format="h5",
        )
    arrays = {f"{kind}{i}": array for kind, many in (("x", inputs), ("y", outputs)) for i, array in enumerate(many)}
    np.savez(golden / "{}-{}.npz".format(name.replace(" ", "_"), version), **arrays)


def main(out):
    shutil.rmtree(out, ignore_errors=True)
    golden = out / "golden"
    golden.mkdir(parents=True)
    os.chdir(out)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    client = MlflowClient()
    mlflow.set_experiment(experiment_id=client.create_experiment("models", artifact_location="artifacts"))
    for name, make in (("credit risk", credit_risk), ("tagger", tagger)):
        for version in (1, 2, 3):
            log_version(name, make, version, golden)
    client.transition_model_version_stage("credit risk", "1", "Archived")
    client.transition_model_version_stage("credit risk", "2", "Production")
    client.transition_model_version_stage("tagger", "3", "Staging")
    client.set_model_version_tag("tagger", "3", "team", "language")
    forget_place(out)


def forget_place(out):
    """Artifact places relative to the registry, whatever folder it was made in."""
    place = str(out)
    with sqlite3.connect(str(out / "mlflow.db")) as database:
        for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri"), ("model_versions", "source")):
            for prefix in (f"file://{place}/", f"{place}/"):
                database.execute(f"UPDATE {table} SET {column} = REPLACE({column}, ?, '')", (prefix,))
        database.execute("UPDATE runs SET user_id = 'data-team', source_name = 'train.py'")
        database.execute("DELETE FROM tags WHERE key IN ('mlflow.user', 'mlflow.source.name', 'mlflow.source.git.commit')")
    with sqlite3.connect(str(out / "mlflow.db")) as database:
        database.execute("VACUUM")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
