"""Names that people give to classifiers, albums and reports: one spelling of each, and nothing that cannot be shown."""

import unicodedata

from clipcore import BadInput

NAME_LIMIT = 200  # letters


def clean_name(name: str, what: str = "A classifier") -> str:
    """A name as it is kept: one spelling of each letter, no space around it. Raises BadInput if it cannot be a name."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    if not name:
        raise BadInput(f"{what} needs a name; type one.")
    if len(name) > NAME_LIMIT:
        raise BadInput(f"The name has {len(name)} letters, but {NAME_LIMIT} is the most; choose a shorter one.")
    if any(
        unicodedata.category(letter) in ("Cc", "Cs") or letter in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"
        for letter in name
    ):
        raise BadInput("The name has letters that cannot be shown; use plain ones.")
    return name
