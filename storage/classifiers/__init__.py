"""What was made with the library: classifiers by name and version, runs, and reports."""
