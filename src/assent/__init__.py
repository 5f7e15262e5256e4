"""Assent: a studio for synthetic video that people have agreed to."""

__version__ = "0.1.0"
