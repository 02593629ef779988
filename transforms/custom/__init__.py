"""Custom code of an operator: layers, activations, functions of Lambda layers, `build_model()`.

`code` is the only module that executes it, under the modules of `keras_compat` and `layer_compat`, in the converting
process. `layers` builds layers from it and finds their arrays. Which objects of a config such code defines is marked by
name in `architecture.custom_names` and `admission.custom_objects`.
"""
