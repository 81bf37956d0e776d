"""The page. Gradio lives here and only here; handlers are plain functions whose first argument is the studio."""
