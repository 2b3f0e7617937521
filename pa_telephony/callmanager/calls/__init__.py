"""Calls: the dial plan, legs and their media, and what is done with them."""
