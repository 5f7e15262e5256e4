"""Who may come in, and what they may do there: one answer for the studio's pages and the API."""
