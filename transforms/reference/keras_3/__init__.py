"""What Keras 3 means by its layers and operations, where it differs from Keras 2."""
