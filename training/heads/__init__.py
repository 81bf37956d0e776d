"""From few labels to a head over vectors that are there already. NumPy only."""
