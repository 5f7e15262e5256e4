"""Tell explicit pictures from others."""
