"""What is done to one model: read, canonicalise, rebuild, write, check. Knows nothing of Beam."""
