"""Step 1: what the work is for, and whether it may be done at all."""
