"""The Measure tab: sections, a module each, and what they have in common."""
