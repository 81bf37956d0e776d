"""python -m storage.migrations "what it does": write the revision that leads to the tables as they are in `tables.py`."""

import sys

from storage.migrate import new_revision

new_revision(sys.argv[1])
