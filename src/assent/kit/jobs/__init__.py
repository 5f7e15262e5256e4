"""A queue of work in the database, and how workers share it."""
