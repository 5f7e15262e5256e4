"""Where are our releases? Sources that are looked at, and what is found there."""
