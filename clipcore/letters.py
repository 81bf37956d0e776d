"""One spelling of what people type and what disks call their files: what looks the same is the same.

A Mac's disk spells é as e and an accent, and a Hangul syllable as its parts; what is copied from a web page or a chat brings
letters along that nobody sees. Everywhere that names meet, they meet as `one_spelling` or `letters` gives them.
"""

import unicodedata

_JOINERS = "\u200c\u200d"  # invisible, but part of Persian and Indian words and of emoji
# neither control characters nor marks of direction, and invisible all the same: the grapheme joiner, fillers of Hangul
_UNSEEN = "\u034f\u115f\u1160\u3164\uffa0"


def one_spelling(text: str) -> str:
    """`letters` with single spaces."""
    return " ".join(letters(" ".join(text.split())).split())


def letters(text: str) -> str:
    """Unicode NFC without what cannot be seen: control and text-direction marks, zero widths, soft hyphens, half
    characters."""
    if text.isascii() and text.isprintable():
        return text
    kept = "".join(c for c in text if c in _JOINERS or not _is_unseen(c))
    text = unicodedata.normalize("NFC", kept)
    if not any(joiner in text for joiner in _JOINERS):
        return text
    kept = "".join(c for i, c in enumerate(text) if c not in _JOINERS or (i + 1 < len(text) and _joins(text[i - 1 : i])))
    return unicodedata.normalize("NFC", kept)


def _is_unseen(letter: str) -> bool:
    return letter in _UNSEEN or unicodedata.category(letter) in ("Cc", "Cf", "Cs")


def _joins(letter: str) -> bool:
    """Whether a joiner behind this letter changes what is seen: behind emoji, and in scripts whose letters join."""
    kind = unicodedata.category(letter) if letter else ""
    return kind in ("So", "Sk", "Mn", "Mc") or (kind == "Lo" and unicodedata.east_asian_width(letter) not in ("W", "F"))
