"""Behind the Bias tab: the job that loads groups, the measurements at hand, and the routes of the element."""
