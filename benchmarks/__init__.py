"""Speed and accuracy, measured beside what a person would run instead. See `python -m benchmarks --help`."""
