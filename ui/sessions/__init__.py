"""Sessions on the page: what one works on, kept as one works, and the switcher."""
