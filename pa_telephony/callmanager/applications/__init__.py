"""Applications at the call manager: what they control, what they are told, what they register."""
