"""Anchors: other people's clocks and chains that say a checkpoint of the log was there."""
