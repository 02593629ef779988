"""What models registered in MLflow answer, by `mlflow.pyfunc`, beside golden outputs; runs where MLflow is.

python scripts/mlflow_answers.py TRACKING_URI GOLDEN

Every registered version with h5ferry's tags is loaded and asked with named inputs. A JSON line for each: name, version
and the largest share of the tolerance 1e-5 + 1e-4 |y| that an output differs by.
"""

import json
import sys
from pathlib import Path

import mlflow
import numpy as np


def main(uri, golden):
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient()
    for version in client.search_model_versions():
        if "h5ferry.version" not in version.tags:
            continue
        model = mlflow.pyfunc.load_model(f"models:/{version.name}/{version.version}")
        name = "{}-{}.npz".format(version.name.replace(" ", "_"), version.tags["h5ferry.version"])
        with np.load(golden / name) as held:
            inputs = model.metadata.get_input_schema().input_names()
            outputs = model.metadata.get_output_schema().input_names()
            found = model.predict({each: held[f"x{index}"] for index, each in enumerate(inputs)})
            share = 0.0
            for index, each in enumerate(outputs):
                y = held[f"y{index}"]
                answer = np.asarray(found[each]).reshape(y.shape)  # pyfunc flattens a column
                share = max(share, float(np.max(np.abs(answer - y) / (1e-5 + 1e-4 * np.abs(y)))))
        print(json.dumps({"name": version.name, "version": int(version.version), "share": share}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
