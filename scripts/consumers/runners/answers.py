"""What every runner in Python does: read the cases, ask the consumer, compare. Runs on Python 3.7 with NumPy alone.

A case is {"name", "folder", "batches": [{"inputs": {name: array}, "outputs": {name: array}}]}, an array
{"dtype", "shape", "values"} with its values in C order. The result is one JSON line for each case: {"name", "error",
"share"} with the largest |a - b| and the largest share of the tolerance 1e-5 + 1e-4 |b|, or {"name", "problem"}.
"""

import json
import sys
import traceback

import numpy as np

RTOL, ATOL = 1e-4, 1e-5


def run(load):
    """Asks each case of the file that the command line names.

    Args:
        load: folder -> function from a batch's inputs by name to its outputs by name.
    """
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    for case in cases:
        try:
            found = dict(compared(load(case["folder"]), case["batches"]), name=case["name"])
        except Exception as error:  # whatever a consumer raises is a result
            traceback.print_exc()
            found = {
                "name": case["name"],
                "problem": "{}: {}".format(type(error).__name__, " ".join(str(error).split())),
            }
        print("RESULT " + json.dumps(found), flush=True)


def compared(answer, batches):
    error = share = 0.0
    for batch in batches:
        given = answer({name: array(value) for name, value in batch["inputs"].items()})
        for name, value in batch["outputs"].items():
            wanted, got = array(value), np.asarray(given[name])
            if got.shape != wanted.shape:
                raise ValueError("{} has the shape {} in place of {}".format(name, got.shape, wanted.shape))
            if not np.isfinite(got).all():
                raise ValueError("{} is not finite".format(name))
            apart = np.abs(got.astype(np.float64) - wanted)
            error = max(error, float(apart.max()))
            share = max(share, float((apart / (ATOL + RTOL * np.abs(wanted))).max()))
    return {"error": error, "share": share}


def array(value):
    return np.array(value["values"], value["dtype"]).reshape(value["shape"])
