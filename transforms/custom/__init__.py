"""Code that an operator brings for a model: custom layers, activations, functions of Lambda layers, `build_model()`.

`names` and `marking` say which objects of a config such code stands for, as plain names. `code` is the one file that
executes it, under the modules of `old_keras` and `old_layers`, in the converting process. `building` makes layers of
it, `weights` finds their arrays.
"""
