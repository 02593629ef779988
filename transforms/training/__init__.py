"""Migration of the training state on request: optimizer with its slots, loss and metrics."""
