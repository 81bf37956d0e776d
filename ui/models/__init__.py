"""The Models tab: which there are, and the trainings that make new ones."""
