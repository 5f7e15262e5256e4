"""Step 6: look before it may leave."""
