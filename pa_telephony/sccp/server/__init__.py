"""The call manager's side of SCCP: the registrar and the server that stations register with."""
