"""Make the files of this folder from WordNet 3.0: python -m clipcore.wordnet /usr/share/wordnet

nouns.tsv  what can be pictured, a line for each meaning, the more general ones first (a parent's line comes before):
               times seen in tagged text TAB lines of its parents TAB kind TAB names, the usual one first
           Only meanings of the kinds in KINDS are kept; names of single persons and places are not, nor Latin genera.
words.txt  every single English word that WordNet knows, lower case, so that a label in another language can be told.
ids.tsv    what ImageNet and others call a noun's meaning, n and its place in data.noun, a line for each, by place:
               how much larger the number is than that of the line before TAB its usual name, and, where other meanings
               have that too, TAB what tells it from them: the next name, or else what it is a kind of

Debian has the database in its package wordnet-base. The licence of WordNet, in LICENSE, lets anyone change and pass it on.
"""

import gzip
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# WordNet's files of nouns whose meanings can be seen, and what we call them: data.noun has the number in its second column.
KINDS = {5: "animal", 6: "thing", 8: "body", 13: "food", 17: "nature", 18: "person", 19: "nature", 20: "plant", 27: "matter"}
SPORT, ACT = "00523513", 4  # sports and games are acts that can be seen; most other acts are not
GAME = "00455599"
# These words themselves lie in another file.
TOPS = {"00015388": "animal", "00017222": "plant", "00007846": "person", "00021265": "food", "00021939": "thing"}


@dataclass
class Meaning:
    """One synset of data.noun."""

    file: int
    names: list[str]
    parents: list[str]
    instance: bool
    count: int = 0


def read_nouns(folder: Path) -> dict[str, Meaning]:
    """Every noun meaning, by its offset in data.noun."""
    meanings = {}
    for line in _lines(folder / "data.noun"):
        fields = line.split("|")[0].split()
        words = int(fields[3], 16)
        pointers = fields[5 + 2 * words :]
        links = [(pointers[i], pointers[i + 1]) for i in range(0, 4 * int(fields[4 + 2 * words]), 4)]
        meanings[fields[0]] = Meaning(
            int(fields[1]),
            fields[4 : 4 + 2 * words : 2],
            [target for sign, target in links if sign == "@"],
            any(sign == "@i" for sign, _ in links),
        )
    return meanings


def count_senses(folder: Path, meanings: dict[str, Meaning]) -> dict[tuple[str, str], int]:
    """How often a word was seen with a meaning in WordNet's tagged texts, by (lemma, offset)."""
    offsets = {}
    for line in _lines(folder / "index.noun"):
        fields = line.split()
        offsets[fields[0]] = fields[len(fields) - int(fields[2]) :]
    counts: dict[tuple[str, str], int] = {}
    for line in (folder / "cntlist.rev").read_text(encoding="latin-1").splitlines():
        key, number, count = line.split()
        lemma, _, rest = key.partition("%")
        if rest[0] == "1" and lemma in offsets and int(number) <= len(offsets[lemma]):
            counts[lemma, offsets[lemma][int(number) - 1]] = int(count)
    return counts


def noun_lines(folder: Path) -> list[str]:
    """The lines of nouns.tsv."""
    meanings = read_nouns(folder)
    counts = count_senses(folder, meanings)
    kept: dict[str, int] = {}
    lines: list[str] = []

    def kind(offset: str) -> str | None:
        meaning = meanings[offset]
        if meaning.instance:
            return None
        if meaning.file == ACT:
            return "game" if {SPORT, GAME} & set(ancestors(offset)) else None
        return TOPS.get(offset) or KINDS.get(meaning.file)

    def ancestors(offset: str) -> Iterator[str]:
        yield offset
        for parent in meanings[offset].parents:
            yield from ancestors(parent)

    def keep(offset: str) -> None:
        if offset in kept or kind(offset) is None:
            return
        for parent in meanings[offset].parents:
            keep(parent)
        names = [name for name in meanings[offset].names if not name.startswith("genus_")]
        if not names or (kind(offset) == "plant" and all(name[0].isupper() for name in names)):
            return
        # each name with how often it was seen in this meaning
        said = " ".join(f"{n}={c}" if (c := counts.get((n.lower(), offset), 0)) else n for n in names)
        parents = ",".join(str(kept[parent]) for parent in meanings[offset].parents if parent in kept)
        kept[offset] = len(lines)
        lines.append(f"{kind(offset)}\t{parents}\t{said}")

    for offset in meanings:
        keep(offset)
    return lines


def words(folder: Path) -> list[str]:
    """Every single word of WordNet's index, and the irregular forms of its exception lists."""
    found = set()
    for part in ("noun", "verb", "adj", "adv"):
        for line in _lines(folder / f"index.{part}"):
            found |= set(re.split(r"[_-]", line.split()[0]))
        for line in (folder / f"{part}.exc").read_text(encoding="latin-1").splitlines():
            found |= set(line.split())
    return sorted(word for word in found if re.fullmatch(r"[a-z]{2,}", word))


def id_lines(folder: Path) -> list[str]:
    """The lines of ids.tsv."""
    meanings = {offset: meaning for offset, meaning in read_nouns(folder).items() if not meaning.instance}
    usual = Counter(meaning.names[0].lower() for meaning in meanings.values())
    lines, last = [], 0
    for offset, meaning in sorted(meanings.items()):
        cells = [str(int(offset) - last), meaning.names[0]]
        if usual[meaning.names[0].lower()] > 1:
            kinds = [meanings[parent].names[0] for parent in meaning.parents if parent in meanings]
            cells.append(next(iter([*meaning.names[1:], *kinds]), ""))
        lines.append("\t".join(cells))
        last = int(offset)
    return lines


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="latin-1") as file:
        yield from (line for line in file if not line.startswith(" "))  # the licence is indented


def main(folder: Path) -> None:
    """Write the files beside this one; the same input gives the same bytes."""
    made = {"nouns.tsv.gz": noun_lines(folder), "words.txt.gz": words(folder), "ids.tsv.gz": id_lines(folder)}
    for name, lines in made.items():
        data = gzip.compress("\n".join(lines).encode(), 9, mtime=0)
        Path(__file__).with_name(name).write_bytes(data)
        print(f"{name}: {len(lines):,} lines, {len(data):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
