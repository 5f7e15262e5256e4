"""Pages that answer the question: one for a result, and one that anybody can put on a server."""
