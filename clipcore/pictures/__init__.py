"""From a file or bytes to an upright RGB picture."""
