"""The Bias tab: layout, the job that loads groups, and the routes of its element."""
