"""Step 8: see where releases turn up, answer who is hurt or misled, and give account."""
