"""The Classify tab: names and prompts, the board, teaching, and what goes out and comes in."""
