"""Declared messages: one declaration, from which decoder, encoder and documentation come."""
