"""The command line, a module for each theme. A command parses, calls and prints; the work is done elsewhere.

Importing a theme registers its commands; they are listed in this order.
"""

# ruff: noqa: F401, I001
from . import library
from . import albums
from . import care
from . import moving
from . import classify
from . import timeline
from . import label
from . import choose
from . import teach
from . import card
from . import export
from . import measure
from . import curve
from . import words
from . import tasks
from . import robustness
from . import captions
from . import bias
from . import models
from . import finetune
from . import train
from . import people
from . import tokens
from . import webhooks
from .common import commands

__version__ = "1.0.0.dev0"

__all__ = ["__version__", "commands"]
