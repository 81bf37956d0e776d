"""From class names and vectors to answers: prompts, heads, the dial, and why."""
