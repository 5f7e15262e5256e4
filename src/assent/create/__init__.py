"""Step 5: render the performance with the learned face."""
