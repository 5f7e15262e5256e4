"""Step 4: learn a face. The only home of torch."""
