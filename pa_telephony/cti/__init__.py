"""CTI: CTIQBE messages and, later, JTAPI's object model and both sides of a session."""
