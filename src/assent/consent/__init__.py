"""Step 2: who has agreed, to what, until when."""
