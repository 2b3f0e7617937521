"""The station's side of SCCP: phones and media ports, their calls and sound."""
