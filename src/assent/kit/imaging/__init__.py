"""Warps, masks, colour and blending on arrays."""
