"""From pictures and texts to unit vectors: the towers, and how they run fast on what there is."""
