"""Repairs: what a person corrects of a render by hand, stored, interpolated and applied."""
