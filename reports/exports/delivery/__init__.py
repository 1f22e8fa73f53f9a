"""A delivery: the images as they are stored, every signed read, and what proves that nothing is missing or changed."""
