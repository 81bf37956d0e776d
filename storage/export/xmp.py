"""Labels as keywords in XMP sidecars, the way photo programs read them. The pictures themselves are never touched.

    dc:subject              plain keywords: every program          lr:hierarchicalSubject   Lightroom's
    digiKam:TagsList        digiKam's tags                         sayso:keywords           those that are ours
                                                                   sayso:guesses            of these, a classifier's
    xmp:Rating              stars that were given here

What else a sidecar holds stays: other people's keywords, ratings, edits. Keywords that Sayso wrote before, and only those,
go when the label has changed. digiKam and darktable read photo.jpg.xmp. Lightroom reads photo.xmp, and only beside raw
files: it looks for the keywords of a JPEG inside the JPEG.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal
from xml.dom import minidom
from xml.parsers.expat import ExpatError, ParserCreate

from clipcore import BadInput
from clipcore.pictures.finding import display_path
from clipcore.pictures.reading import content_hash
from clipcore.plain import read_plain

from ..records import Answer, SkippedRecord
from .plan import Change, Plan

Naming = Literal["digikam", "lightroom", "both"]

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DC, LR, DIGIKAM, OURS, GUESSES = (
    ("dc", "http://purl.org/dc/elements/1.1/", "subject", "Bag"),
    ("lr", "http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject", "Bag"),
    ("digiKam", "http://www.digikam.org/ns/1.0/", "TagsList", "Seq"),
    ("sayso", "urn:x-sayso:xmp:1.0/", "keywords", "Bag"),
    ("sayso", "urn:x-sayso:xmp:1.0/", "guesses", "Bag"),
)
STARS = ("xmp", "http://ns.adobe.com/xap/1.0/", "Rating", "")
WINDOWS = ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0/", "LastKeywordXMP", "Bag")
Property = tuple[str, str, str, str]  # usual prefix, namespace, name, and the kind of RDF list
TEXTS = (minidom.Node.TEXT_NODE, minidom.Node.CDATA_SECTION_NODE)
LIMIT = 50_000_000  # bytes of a sidecar
DEPTH = 100  # elements within each other; XMP that programs write has some ten
EMPTY = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Sayso">\n <rdf:RDF xmlns:rdf="' + RDF + '">\n'
    '  <rdf:Description rdf:about=""/>\n </rdf:RDF>\n</x:xmpmeta>\n'
)


def sidecars(answers: Iterable[Answer], naming: Naming = "digikam", stars: Mapping[str, int] | None = None) -> Plan:
    """The sidecars that say what the answers say, with the `stars` that were given here, by picture.

    A picture without a label and without stars gets none, but loses what Sayso wrote before.
    """
    plan = Plan([], [])
    owner: dict[Path, str] = {}
    for answer in answers:
        for path in sidecar_paths(answer.image.path, naming):
            shown = answer.image.shown_path
            if owner.setdefault(path, answer.image.path) != answer.image.path:
                other = Path(owner[path]).name
                reason = f"It would share {display_path(path.name)} with {display_path(other)}; use the naming digikam."
                plan.left.append(SkippedRecord(shown, reason))
                continue
            try:
                before = read_plain(path, LIMIT) if path.exists() else None
                given = (stars or {}).get(answer.image.picture)
                after = merged(before, answer.labels, answer.by == "classifier", given)
            except OSError as error:
                plan.left.append(SkippedRecord(display_path(path), f"It cannot be read ({error.strerror})."))
            except BadInput as error:
                plan.left.append(SkippedRecord(display_path(path), str(error)))
            else:
                if after is not None and after != before:
                    plan.changes.append(Change("write", "", str(path), content_hash(after), data=after, before=before))
    return plan


def sidecar_paths(image: str | Path, naming: Naming) -> list[Path]:
    """Where a picture's sidecar lies: photo.jpg.xmp (digikam), photo.xmp (lightroom), or both."""
    path = Path(image)
    whole, stem = _in_capitals(path.with_name(f"{path.name}.xmp")), _in_capitals(path.with_suffix(".xmp"))
    return {"digikam": [whole], "lightroom": [stem], "both": [whole, stem]}[naming]


def _in_capitals(path: Path) -> Path:
    """The sidecar's path, or the one in capitals (photo.XMP) if only that is there."""
    other = path.with_suffix(".XMP")
    return other if not path.exists() and other.exists() else path


def merged(sidecar: bytes | None, labels: Sequence[str], guessed: bool = False, stars: int | None = None) -> bytes | None:
    """A sidecar's bytes with these labels among its keywords; None if there is neither a sidecar nor a label, nor stars.

    `guessed` says that they are a classifier's; without `stars` those that it has stay. A sidecar that says all this comes
    back byte for byte. Raises BadInput if it is no XMP; it must then be left alone.
    """
    if sidecar is None and not labels and not stars:
        return None
    document = _parsed(sidecar if sidecar is not None else EMPTY.encode())
    ours = _list(document, OURS)
    _spell_out(document)
    theirs = [word for word in _list(document, DC) if word not in ours]
    new = [label for label in labels if label not in theirs]  # a keyword that someone typed is theirs, and stays theirs
    changed = False
    for kind in (DC, LR, DIGIKAM):
        old = {_spelled(word, kind) for word in ours}
        words = [word for word in _list(document, kind) if word not in old] + [_spelled(label, kind) for label in new]
        changed |= _set_list(document, kind, list(dict.fromkeys(words)))
    changed |= _set_list(document, OURS, new)
    changed |= _set_list(document, GUESSES, new if guessed else [])
    changed |= stars is not None and _set_stars(document, stars)
    return bytes(document.toxml(encoding="utf-8")) + b"\n" if changed else sidecar


def keywords(sidecar: bytes) -> list[str]:
    """The keywords of a sidecar but for a classifier's guesses: the plain ones, and of those in trees, which programs may
    write alone, the last level. Raises BadInput if it is no XMP."""
    document = _parsed(sidecar)
    guesses = {_spelled(word, kind) for word in _list(document, GUESSES) for kind in (DC, LR, DIGIKAM)}
    plain = [*_list(document, DC), *_list(document, WINDOWS)]
    trees = [(word, mark) for kind, mark in ((LR, "|"), (DIGIKAM, "/")) for word in _list(document, kind)]
    known = {_spelled(word, kind) for word in plain for kind in (LR, DIGIKAM)}
    leaves = [word.rpartition(mark)[2].strip() for word, mark in trees]
    words = [word for word in plain if word not in guesses] + [
        w for w in leaves if w and w not in known and w not in guesses
    ]
    return list(dict.fromkeys(words))


def _spelled(label: str, kind: Property) -> str:
    """A label as one level of a program's tag tree: its mark between levels is taken out."""
    mark = {LR: "|", DIGIKAM: "/"}.get(kind)
    return label.replace(mark, "-") if mark else label


def _parsed(data: bytes) -> minidom.Document:
    if len(data) > LIMIT or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise BadInput("This sidecar is not plain XMP and is left alone; move it away to have a new one written.")
    try:
        _check_depth(data)
        document = minidom.parseString(data)
    except (ExpatError, ValueError, LookupError) as error:
        raise BadInput(f"This sidecar is damaged ({error}) and is left alone; move it away to write a new one.") from error
    if document.doctype is not None or not document.getElementsByTagNameNS(RDF, "RDF"):
        raise BadInput("This file is XML but no XMP and is left alone; move it away to have a sidecar written.")
    return document


def _check_depth(data: bytes) -> None:
    """Refuse what is nested deeper than any XMP: looking for an element in it, or writing it, would call itself as often."""
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise BadInput(f"This sidecar is nested more than {DEPTH} elements deep and is left alone; move it away.")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)


def _elements(document: minidom.Document, kind: Property) -> list[Any]:  # minidom.Element; its types know None everywhere
    return [
        element
        for element in document.getElementsByTagNameNS(kind[1], kind[2])
        if element.parentNode is not None and element.parentNode.namespaceURI == RDF
    ]


def _list(document: minidom.Document, kind: Property) -> list[str]:
    """The words of a property, in order, each once, on one line: items of a list, or a single value as some programs write
    it, an element's text or an attribute."""
    texts: list[str] = []
    for element in _elements(document, kind):
        items = element.getElementsByTagNameNS(RDF, "li")
        texts += [_text(item) for item in items] if items else [_text(element)]
    texts += [description.getAttributeNS(kind[1], kind[2]) for description in _descriptions(document)]
    return list(dict.fromkeys(word for text in texts if (word := " ".join(text.split()))))


def _text(element: Any) -> str:
    return "".join(node.data for node in element.childNodes if node.nodeType in TEXTS)


def _descriptions(document: minidom.Document) -> list[Any]:
    return list(document.getElementsByTagNameNS(RDF, "Description"))


def _spell_out(document: minidom.Document) -> None:
    """Write keywords that are attributes as lists, to which others can be added."""
    for kind in (DC, LR, DIGIKAM):
        for description in _descriptions(document):
            if description.hasAttributeNS(kind[1], kind[2]):
                words = _list(document, kind)
                description.removeAttributeNS(kind[1], kind[2])
                _set_list(document, kind, words)


def _set_list(document: minidom.Document, kind: Property, words: Sequence[str]) -> bool:
    """Give a property these words; without words it goes. False, and nothing touched, if it has them already."""
    if _list(document, kind) == list(words):
        return False
    elements = _elements(document, kind)
    if elements:
        parent, after = elements[0].parentNode, elements[0].nextSibling
    else:
        root: Any = document.getElementsByTagNameNS(RDF, "RDF")[0]
        descriptions = root.getElementsByTagNameNS(RDF, "Description")
        parent = descriptions[0] if descriptions else root.appendChild(_element(document, root, RDF, "rdf", "Description"))
        if not parent.hasAttributeNS(RDF, "about"):
            parent.setAttributeNS(RDF, f"{_prefix(parent, RDF, 'rdf')}:about", "")
        after = None
    for element in elements:
        element.parentNode.removeChild(element)
    if not words:
        return True
    prefix, namespace, name, shape = kind
    made = _element(document, parent, namespace, prefix, name)
    parent.insertBefore(made, after)
    bag = made.appendChild(_element(document, made, RDF, "rdf", shape))
    for word in words:
        bag.appendChild(_element(document, bag, RDF, "rdf", "li")).appendChild(document.createTextNode(word))
    return True


def _set_stars(document: minidom.Document, stars: int) -> bool:
    """Give the document this rating, where it has one or else as an attribute; False if it says so already."""
    _, namespace, name, _ = STARS
    had = _list(document, STARS)
    if had == [str(stars)] or (not had and not stars):
        return False
    for element in _elements(document, STARS):
        element.parentNode.removeChild(element)
    descriptions = _descriptions(document)
    for description in descriptions:
        if description.hasAttributeNS(namespace, name):
            description.removeAttributeNS(namespace, name)
    prefix = _prefix(descriptions[0], namespace, "")
    if not prefix:
        prefix = STARS[0]
        descriptions[0].setAttribute(f"xmlns:{prefix}", namespace)
    descriptions[0].setAttributeNS(namespace, f"{prefix}:{name}", str(stars))
    return True


def _element(document: minidom.Document, parent: Any, namespace: str, prefix: str, name: str) -> Any:
    """A new element, with the prefix that is in use for its namespace; else declared on itself."""
    known = _prefix(parent, namespace, "")
    element = document.createElementNS(namespace, f"{known or prefix}:{name}")
    if not known:
        element.setAttribute(f"xmlns:{prefix}", namespace)
    return element


def _prefix(node: Any, namespace: str, default: str) -> str:
    """The prefix that stands for a namespace at this place of the document."""
    current = node
    while current is not None and current.nodeType == current.ELEMENT_NODE:
        for name, value in current.attributes.items():
            if name.startswith("xmlns:") and value == namespace:
                return name[6:]
        current = current.parentNode
    return default
