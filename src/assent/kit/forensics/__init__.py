"""A forensic second opinion: does a face look as if it had been replaced? A hint, no finding."""
