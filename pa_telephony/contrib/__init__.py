"""Bridges to other tools, each behind an extra of its own; no other module imports them."""

from pa_telephony.extras import need

need("scapy", "scapy")
