"""Recognise a video by what it shows (ISCC, ISO 24138)."""
