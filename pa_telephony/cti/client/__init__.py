"""The application's side of CTIQBE: providers, lines, calls, with JTAPI's object model."""
