"""Find, track, align and recognise faces."""
