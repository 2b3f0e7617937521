"""SCCP (Skinny): messages and, later, both sides of a session."""
