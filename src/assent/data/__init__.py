"""Step 3: footage taken in, with every face in it accounted for."""
