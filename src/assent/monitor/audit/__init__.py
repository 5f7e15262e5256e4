"""Checking a log from its start, and what others say of it."""
