"""The door to the network: one guarded request to an address that may be a stranger's."""
