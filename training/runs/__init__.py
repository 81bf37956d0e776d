"""A training as someone asks for it, from data on the disk to a model that can be used."""
