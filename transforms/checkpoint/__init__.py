"""TensorFlow checkpoints as sources: read without TensorFlow, every byte that is used checked first."""
