"""HDF5 files without a Keras model: describes their content from the root."""

from __future__ import annotations

import h5py

from transforms.errors import MigrationError, Reason
from transforms.limits import Limits
from transforms.source.hdf5.file import hdf5_errors
from transforms.source.hdf5.objects import has_link

#: Attributes and entries at the root that identify other writers, and what those write.
_ATTRIBUTES = {
    "PYTABLES_FORMAT_VERSION": "tables of PyTables or pandas",
    "_NCProperties": "a netCDF-4 data set",
    "encoding-type": "data of AnnData",
}
_ENTRIES = {"#refs#": "a workspace of MATLAB", "pkl": "an object that hickle pickled"}
_SHOWN = 6


@hdf5_errors()
def no_model(file: h5py.File, limits: Limits) -> MigrationError:
    """The error for a file without architecture and without weight groups of Keras."""
    if "nb_layers" in file.attrs:
        return MigrationError(
            Reason.UNSUPPORTED_DIALECT,
            "The file holds weights of Keras 0.x: numbered layers (layer_0, param_0) without names",
            advice="Load them with Keras 1.2.2, whose load_weights reads them, and save the model.",
        )
    entries = [name[:40] for name in list(file)[:_SHOWN]] if file.id.get_num_objs() <= limits.attribute_items else []
    told = [what for name, what in _ATTRIBUTES.items() if name in file.attrs]
    told += [what for name, what in _ENTRIES.items() if has_link(file, name)]
    holds = f"; it looks like {told[0]}" if told else f"; it holds {', '.join(entries)}" if entries else "; it is empty"
    return MigrationError(
        Reason.NOT_A_MODEL,
        f"The file has neither model_config nor layer_names{holds}",
        advice="It is an HDF5 file, but not one that Keras saved: point the row at the model.",
    )
