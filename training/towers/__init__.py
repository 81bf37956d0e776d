"""From pictures with captions or labels to an encoder: losses, loops, and what keeps a run alive. Torch throughout."""
