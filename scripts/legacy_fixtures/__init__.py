"""Writes small HDF5 models under legacy releases of Keras.

Everything here but `runtimes.toml` runs under a *legacy* interpreter (Python 3.6 to 3.11), so it is written in Python
3.6 syntax and imports nothing of h5ferry: a fixture that knew the converter could share its mistakes.
"""
