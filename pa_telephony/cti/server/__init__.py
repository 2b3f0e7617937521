"""The CTI Manager's side of CTIQBE: sessions, handles, and what they answer."""
