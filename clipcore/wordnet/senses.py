"""Words that stand for things which look nothing alike: crane, boxer, kite, nail (Radford et al., 2021, section 3.1.4).

A word counts as one with several senses if WordNet has meanings of different kinds (animal, thing, person, ...) that are
mainly called so, none of them rare beside the others, and not all on the list RARE of meanings that photographs hardly show.
"""

from . import Meaning, broader, lemma, meanings

SHARE = 1 / 16  # a meaning seen this much more rarely than the commonest is left out; the mouse of a computer just stays
# Food is mostly the flesh or the fruit of what it is named after, and a substance its fur or its wood.
_SAME = {"food": "plant"}
_PLAIN = {"animal": "animal", "person": "person", "plant": "plant", "food": "food", "body": "part of the body"}
_PLAIN |= {"thing": "object", "nature": "landscape", "matter": "material", "game": "game"}
_VAGUE = {"artifact", "instrumentality", "structure", "article", "part", "body_part", "whole", "unit", "area", "placental"}
_VAGUE |= {
    "device",
    "restraint",
    "attachment",
    "process",
    "solid",
    "cut",
    "case",
    "horny_structure",
    "covering",
    "court_game",
}
# Meanings that people hardly photograph, found by going through the class names of common test sets by hand.
RARE = {
    "basketball": "game",
    "beaver": "thing body",
    "bridge": "game body",
    "broom": "plant",
    "cannon": "animal",
    "chain": "nature",
    "crab": "game",
    "cup": "plant",
    "dam": "animal",
    "duck": "thing",
    "frog": "thing",
    "lemon": "thing",
    "mushroom": "nature",
    "pen": "animal",
    "plate": "body plant nature",
    "ray": "plant",
    "rocket": "plant",
    "spider": "thing",
    "stool": "plant",
    "thatch": "body",
    "tick": "thing",
    "tiger": "person",
    "volleyball": "game",
    "willow": "thing",
    "worm": "thing person",
}


def main_meanings(name: str, share: float) -> list[Meaning]:
    """The meanings of a noun that are not seen less than `share` as often as its commonest, commonest first."""
    word = lemma(name).replace(" ", "_")
    found = sorted(meanings(name), key=lambda meaning: -meaning.count(word))
    top = found[0].count(word) if found else 0
    # one more than was seen, so that words of which the tagged texts have none keep all their meanings
    return [meaning for meaning in found if (meaning.count(word) + 1) / (top + 1) >= share]


def several(name: str) -> list[tuple[str, str]]:
    """The senses of a name that look nothing alike, as (kind, hint): [("animal", "hawk"), ("thing", "plaything")].

    Empty for names with one such sense, which is most of them.
    """
    word = lemma(name).replace(" ", "_")
    by_kind: dict[str, Meaning] = {}
    for meaning in main_meanings(name, SHARE):
        kind = _SAME.get(meaning.kind, meaning.kind)
        # such meanings are mostly slang or terms of art
        never = meaning.kind in ("person", "matter") and not meaning.count(word)
        if meaning.names[0] == word and not never and kind not in RARE.get(word, "").split():
            by_kind.setdefault(kind, meaning)
    if "animal" in by_kind and by_kind.get("plant", by_kind["animal"]).kind == "food":
        del by_kind["plant"]
    if by_kind.keys() & {"animal", "plant"}:
        by_kind.pop("matter", None)  # fur, hide or wood
    hints = [(kind, _hint(meaning)) for kind, meaning in by_kind.items()] if len(by_kind) > 1 else []
    return [(kind, f"living {hint}" if hint == lemma(name) else hint) for kind, hint in hints]  # not: plant (plant)


def _hint(meaning: Meaning) -> str:
    """A short common word for what the meaning is a kind of."""
    names = [(above.names[0], above.counts[0]) for above in broader(meaning)]
    good = [(name, count) for name, count in names if name not in _VAGUE and len(name) < 20]
    common = [name for name, count in good if count >= 2] + [name for name, _ in names[:1] if (name, 0) in good]
    return common[0].replace("_", " ") if common else _PLAIN[meaning.kind]
