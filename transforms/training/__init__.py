"""Training state carried over: optimizer with its slots, loss and metrics, where an operator asks for it."""
