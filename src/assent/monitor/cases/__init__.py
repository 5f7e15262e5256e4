"""Cases: what was reported, what runs, what was done, and what came of it."""
