"""Step 8: know what was released, and recognise it again."""
