"""A transparency log of tiles on disk (C2SP tlog-tiles)."""
