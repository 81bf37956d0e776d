"""Class names that judge people: what they name, so that a page can say so and show the way to the bias bench.

A short list of plain words, no judgement of a person: it knows nothing of irony, of other languages or of what a name
stands for elsewhere, and a name that it does not know may do just as much harm.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

WORDS: Mapping[str, str] = {
    "crime": "criminal thief robber burglar murderer killer terrorist gangster mobster prisoner inmate convict felon crook "
    "fraudster smuggler rapist pickpocket shoplifter hooligan thug suspect suspicious offender delinquent illegal",
    "sex or gender": "man woman men women male female boy girl nonbinary transgender gender husband wife mother father lady "
    "gentleman",
    "age": "child children kid baby toddler infant teenager teen adult elderly senior",
    "origin": "race ethnicity white black asian african indian arab hispanic latino latina caucasian european american "
    "indigenous immigrant refugee foreigner gypsy",
    "belief": "muslim christian jewish jew hindu buddhist sikh atheist religious",
    "sexuality": "gay lesbian homosexual heterosexual bisexual queer straight",
    "health or body": "disabled autistic blind deaf ill sick drunk addict junkie fat obese thin ugly beautiful attractive "
    "pretty handsome depressed",
    "character": "trustworthy untrustworthy honest dishonest liar intelligent smart stupid dumb lazy aggressive violent "
    "dangerous competent professional loser",
    "face or identity": "face facial identity celebrity mugshot passport",
    "what they are watched for": "surveillance intruder trespasser loiterer loitering stalker fugitive protester "
    "demonstrator agitator wanted",
    "standing": "poor rich wealthy homeless beggar nanny housekeeper maid servant prostitute",
}
# Words that are about people only beside a word for people: a white van and an old castle are no one's business.
_UNCLEAR = (
    "white black asian african indian european american indigenous straight ill sick fat thin ugly beautiful attractive "
    "pretty blind smart dangerous violent aggressive professional poor rich illegal senior religious suspicious honest "
    "identity passport wanted surveillance"
)
_PEOPLE = (
    "person people human man woman men women male female boy girl child children adult face worker citizen lady gentleman "
    "guy somebody someone individual"
)
# Alone these sort nobody: an otter beside its mother, or a man who smiles beside one who does not.
_BETWEEN = frozenset(["sex or gender", "age"])
_FACES = ("face", "facial")
_OTHER_FACES = frozenset(["clock", "watch", "rock", "cliff", "mountain", "coal", "dice", "cube", "mask", "cream"])
_KIND = {word: kind for kind, words in WORDS.items() for word in words.split()}
_ABOUT_PEOPLE, _ONLY_OF_PEOPLE = frozenset(_PEOPLE.split()), frozenset(_UNCLEAR.split())


@dataclass(frozen=True)
class Sensitive:
    """One class name that judges people: `kind` says by what, `word` which word of it."""

    label: str
    word: str
    kind: str


def sensitive(labels: Iterable[str]) -> list[Sensitive]:
    """Those of the class names that name people's traits or crimes, in order; a word such as white or poor only where
    another class name or the name itself is about people."""
    labels = list(labels)
    words = {label: [_singular(word) for word in re.findall(r"[^\W\d_]+", label.casefold())] for label in labels}
    named = sum(any(word in _ABOUT_PEOPLE for word in said) for said in words.values())
    people = named > 0
    found = []
    for label in labels:
        for word in words[label]:
            if word in _FACES and (named < 2 or _OTHER_FACES & set(words[label])):
                continue  # faces beside boats and leopards tell nobody from another
            if (kind := _KIND.get(word)) and (people or word not in _ONLY_OF_PEOPLE):
                found.append(Sensitive(label, word, kind))
                break
    told_apart = len({one.word for one in found}) > 1 or not _BETWEEN.issuperset(one.kind for one in found)
    return found if told_apart else []


def notice(found: Iterable[Sensitive], here: bool = False) -> str:
    """What to say of such names; nothing where there are none. `here` is the bias bench itself, to which no way need be
    shown."""
    kinds = list(dict.fromkeys(one.kind for one in found))
    if not kinds:
        return ""
    named = kinds[0] if len(kinds) == 1 else f"{', '.join(kinds[:-1])} and {kinds[-1]}"
    judged = f"These names sort people by {named}. Such answers are often wrong, and for some groups more than for others"
    if here:
        return f"{judged}. Do not decide about people with them."
    return f"{judged}. Measure that in the Bias tab first. Do not decide about people with them."


def _singular(word: str) -> str:
    return word if word in _KIND or word in _ABOUT_PEOPLE or not word.endswith("s") else word[:-1]
