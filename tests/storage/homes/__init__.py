"""Libraries as each revision of the tables so far wrote them, as SQL; `write` adds the one of now."""
