"""The command line: python -m sayso."""

from .app import main

if __name__ == "__main__":
    main()
