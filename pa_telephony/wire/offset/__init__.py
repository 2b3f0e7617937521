"""Messages whose fields lie at fixed offsets, with a tail of variable parts (CTIQBE)."""
