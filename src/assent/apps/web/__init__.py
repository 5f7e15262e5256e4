"""The pages that subjects see: asking, recording, signing, and their own place."""
