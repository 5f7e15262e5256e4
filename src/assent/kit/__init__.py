"""Tools with no policy of their own."""
