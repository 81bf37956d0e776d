"""What to say of a search where people fail: what is not there, how many there are, questions, other languages."""

import re

from .said import short
from .wording import counts, is_foreign

_WITHOUT = re.compile(
    r"^(?P<what>.*?)\s*\b(?P<word>without|with no|but no|but not|not|no)\b\s+(?:an? |any |the )?(?P<gone>[^?]+)",
    re.IGNORECASE,
)
_GENERIC = re.compile(r"(all |any |the |my )*(photo|picture|image|shot|pic|foto)s?( of)?|everything|anything", re.IGNORECASE)
_QUESTION = re.compile(
    r"(?:what|where|which|who|whose|when|why|how|is|are|was|were|do|does|did|can|could|show me|find me|give me|i want)\b",
    re.IGNORECASE,
)
_SIGN = re.compile(r"\bno\b.*\bsigns?$", re.IGNORECASE)  # a no parking sign is a thing like any other


def search_hint(words: str, reads_english_alone: bool, is_clear: bool | None = None) -> str:
    """A sentence that says how to search instead; empty for most searches.

    `reads_english_alone`: whether the model learned from English captions only; `is_clear`: whether something matches, for
    a name that is in no dictionary may well be a person's.
    """
    typed = " ".join(words.split())
    plain = typed.strip(" ?")
    if '"' in typed or " - " in typed or not plain:
        return ""
    if _QUESTION.match(plain) and (typed.endswith("?") or len(plain.split()) > 2):
        return "The model answers no questions; it looks for what is to be seen. Search for that, as in: dog on a beach."
    if (found := _WITHOUT.match(plain)) and not _SIGN.search(plain):
        what = found["what"].strip(" ,")
        what = "photo" if not what or _GENERIC.fullmatch(what) else what
        instead = f"{short(what)} - {short(found['gone'].strip())}"
        return f"The model hardly notices “{found['word']}”. Search with a minus instead: {instead}"
    if counts(plain):
        return "The model cannot count. Search without the number, then pick the right ones yourself."
    if reads_english_alone and is_clear is not True and is_foreign(plain.lower()):
        return f"“{short(plain)}” may not be English. This model reads English only; search in English."
    return ""
