"""Phones at the call manager: their lines, keys and displays."""
