"""The studio in a browser: the eight steps as a place that one walks through."""
