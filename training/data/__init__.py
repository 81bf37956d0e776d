"""What is learned from: pictures with captions or labels, read, cached and restyled."""
