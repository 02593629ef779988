"""MLflow's model registry, as a source and as a target.

May import: what `pipeline.registries` may. The package `mlflow` itself is imported only where a server or a remote
artifact store is asked: databases and folders are read directly and stay as they are.
"""
