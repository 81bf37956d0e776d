"""The Library tab, and what every tab asks of the library: searches, cards, pages of pictures."""
