"""Messages whose fields follow one another (SCCP)."""
