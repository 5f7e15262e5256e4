"""The dossier of a project: what was done, on what ground, and what is still open."""
