"""Words that are most likely mistyped, each with the word that was meant. A word that nothing is close to is left alone: it
is as likely a name."""

import re
import string
from collections.abc import Iterator, Sequence

from .. import wordnet
from .said import Advice, short

LEAST = 4  # letters: of shorter words, half of all mistakes are other words
LONG = 6  # letters from which a wrong one is told from a word of another language


def misspelt(labels: Sequence[str]) -> Iterator[Advice]:
    """Names with an unknown word that is one slip of the finger away from a thing that can be pictured."""
    for label in labels:
        guess = re.sub(r"[^\W\d_]+", lambda found: _meant(found[0]) or found[0], label)
        if guess != label and guess not in labels:
            yield Advice(
                "spelling",
                (label,),
                f"“{short(label)}” is not a word that Sayso knows; write {guess} if you mean that.",
                (guess,),
            )


def _meant(word: str) -> str | None:
    """The best known noun that is one slip away: two letters swapped, one left out, doubled or wrong. None for words that
    are known, and for names, which begin with a capital letter."""
    if len(word) < LEAST or word != word.lower() or not word.isascii() or wordnet.is_english(word):
        return None
    halves = [(word[:at], word[at:]) for at in range(1, len(word) + 1)]  # hardly anyone slips at the first letter
    slips = {
        *(before + after[1] + after[0] + after[2:] for before, after in halves if len(after) > 1),
        *(before + after[1:] for before, after in halves if after),
        *(before + letter + after for before, after in halves for letter in string.ascii_lowercase),
    }
    if len(word) >= LONG:
        slips |= {before + letter + after[1:] for before, after in halves if after for letter in string.ascii_lowercase}
    seen = {
        slip: max((found.count(slip) for found in meanings), default=0)
        for slip in slips
        if (meanings := wordnet.meanings(slip))
    }
    return max(seen, key=lambda slip: (sorted(slip) == sorted(word), seen[slip], slip), default=None)
