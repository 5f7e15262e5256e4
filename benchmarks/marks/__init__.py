"""What the benchmark of the watermark is made of: films, handlings, harm, peers, and trials."""
