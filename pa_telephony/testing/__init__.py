"""What helps to test telephony: strategies of random messages."""
