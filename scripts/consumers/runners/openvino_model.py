"""OpenVINO reads the SavedModel and compiles it for the processor."""

import json
import os

import openvino
from answers import run


def load(folder):
    with open(os.path.join(folder, "assets.extra", "h5ferry.json")) as file:
        signature = json.load(file)["signature"]
    core = openvino.Core()
    # Single precision, as the model has it: processors with half precision would use that.
    compiled = core.compile_model(core.read_model(folder), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    inputs_of = {port_of(compiled.inputs, each): each["name"] for each in signature["inputs"]}
    outputs_of = {port_of(compiled.outputs, each): each["name"] for each in signature["outputs"]}

    def answer(inputs):
        given = compiled({port: inputs[name] for port, name in inputs_of.items()})
        return {name: given[port] for port, name in outputs_of.items()}

    return answer


def port_of(ports, entry):
    """OpenVINO gives a port the names of the signature and of the graph."""
    for port in ports:
        if {entry["name"], entry["tensor"], entry["tensor"].split(":")[0]} & set(port.get_names()):
            return port
    raise KeyError("{} is none of {}".format(entry["name"], [sorted(port.get_names()) for port in ports]))


run(load)
