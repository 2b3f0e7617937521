"""``pa-telephony ladder``: a capture drawn as a message ladder."""
