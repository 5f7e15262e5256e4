"""The resources of the API, a module for each part of the story."""
