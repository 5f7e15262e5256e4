"""Assent: a studio for synthetic video that people have agreed to."""
