"""The studio's database."""
