"""HDF5 files, read by h5py under limits.

May import: records.
"""
