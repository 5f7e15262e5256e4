"""Ways in: parse, call, show. No rule lives here."""
