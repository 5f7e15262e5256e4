"""The mark in the sound: an identifier spelled in small changes of loudness over time and pitch."""
