"""Python functions that a file stores as bytecode: read as data, interpreted symbolically, never run.

```
stored text -> Code (marshal_reader) -> Instructions (instructions) -> Expression (interpreter), shown as text
```
May import: architecture, layer_specs, records.
"""
