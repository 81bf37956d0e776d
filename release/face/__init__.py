"""Sayso: roll your own image classifier.

The command is `sayso`. In Python, the library of CLIP is `sayso.clipcore`, what is kept is `sayso.storage`, and how a
classifier learns is `sayso.training`; a checkout has the same at its top, without the `sayso.`.
"""


def __getattr__(name: str) -> str:
    if name == "__version__":  # late: the command line is of no use to who imports the library
        from .cli import __version__

        return __version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
