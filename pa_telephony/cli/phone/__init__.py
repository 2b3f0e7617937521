"""``pa-telephony phone``: a telephone in a terminal."""
