"""Looking at footage, drafts and models frame by frame: cleared, labelled, marked, noted."""
