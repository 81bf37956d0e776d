"""The page. Gradio lives here and only here; handlers are plain functions whose first argument is the studio."""

import os

# Gradio reads these when it is imported, or when a page of it is made.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # it would call outside hosts
# After each event it makes statistics anew of the last 10,000, for a page that we do not serve: with ten handlers, 8 ms of a
# core for 100 events and 20 ms for 10,000.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
