"""Encryption at rest under keys that can be destroyed."""
