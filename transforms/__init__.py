"""Migration of one model: read, canonicalise, rebuild, write, check. Independent of Beam."""
