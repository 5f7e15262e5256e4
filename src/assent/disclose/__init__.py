"""Step 7: label, mark, sign, log, and only then release."""
