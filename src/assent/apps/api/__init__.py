"""The HTTP API, and a client for it."""
