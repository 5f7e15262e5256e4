"""Read and write video and sound as planar streams."""
