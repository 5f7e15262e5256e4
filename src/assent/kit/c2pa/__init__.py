"""Content credentials: certificates, manifests, signing and reading."""
