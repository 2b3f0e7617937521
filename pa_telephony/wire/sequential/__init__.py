"""Messages whose fields follow one another without offsets (SCCP)."""
