"""A person's likeness in three dimensions: shape, expressions, light and texture of a face."""
