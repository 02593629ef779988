"""Translation of Python functions stored as bytecode: read as data, interpreted symbolically, never run.

```
stored text -> Code (marshal_reader) -> Instructions (instructions) -> Expression (interpreter), shown as text
```
May import: architecture, layer_specs, records.
"""
