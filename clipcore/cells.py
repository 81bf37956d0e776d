"""Cells of tables that Sayso writes: none that a spreadsheet would run, several labels in one, and all of it read back."""

import re

SPECIAL = ("unsure", "none of these")  # what stands in the place of labels, and is none
_DANGER = r"[=+\-@\t\r\n]"
_AMBIGUOUS = re.compile(r"""^$|;|^["\s]|\s$|^(?:unsure|none of these)$""")
_LABEL = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=;|\Z)|[^;]*')


def joined(labels: tuple[str, ...]) -> str:
    """Labels as one cell, with "; " between them.

    A label that would be read as something else stands in double quotes, and quotes in it are doubled: one with a semicolon,
    one that begins with a quote or a space, and one that is called "unsure".
    """
    return "; ".join('"' + label.replace('"', '""') + '"' if _AMBIGUOUS.search(label) else label for label in labels)


def labels_in(cell: str) -> list[str]:
    """The inverse of `joined`, without "unsure" and "none of these", which are no labels."""
    labels, at = list[str](), 0
    while at < len(cell):
        found = _LABEL.match(cell, at)
        assert found is not None  # it may be empty
        if found[1] is not None:
            labels.append(found[1].replace('""', '"'))
        elif (label := found[0].strip()) and label not in SPECIAL:
            labels.append(label)
        at = found.end() + 1
    return labels


def defused(cell: str) -> str:
    """A cell that no spreadsheet runs as a formula: before = + - @ or a control character goes an apostrophe.

    Before one that looks defused goes another apostrophe, so that `undefused` gives back every cell as it was.
    """
    return f"'{cell}" if re.match(f"'*{_DANGER}", cell) else cell


def undefused(cell: str) -> str:
    """The inverse of `defused`."""
    return cell[1:] if re.match(f"'+{_DANGER}", cell) else cell
