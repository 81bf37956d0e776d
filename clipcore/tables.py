"""Tables as spreadsheets and programs write them, read the same way by every command and by the page.

Cells stand between commas, semicolons, tabs or bars, whichever makes the rows alike; a first line `sep=;` says which. The
text is UTF-8, UTF-16 or UTF-32, with or without the mark at its front, or else Windows-1252 or Mac Roman, which older
programs write and of which `Table.note` tells. A table is read a row at a time, so that it may be longer than memory.
"""

import codecs
import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from .errors import BadInput
from .plain import LINE, lines, open_plain

DELIMITERS = ",;\t|"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TABLES = (  # how a file begins that is no text: Excel and LibreOffice, old Excel, Parquet, PDF, gzip
    (b"PK\x03\x04", "a workbook or an archive"),
    (b"\xd0\xcf\x11\xe0", "a workbook"),
    (b"PAR1", "a Parquet file"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "compressed"),
    (b"SQLite format", "a database"),
)
_CHUNK = 1 << 20
_LOOK = 200  # rows from which is told what parts the cells
_ENDING = re.compile(r"\.\w{2,5}$")
_SEP = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)
# what words of Western Europe have none of: a capital or a sign within a word, three letters with marks on end
_SIGNS = "¡-¦§¨©¬-¯±-¶¸¹¼-¿×÷ƒˆ˜†‡‰‹›‚„•™◊∂∆∏∑√∞∫≈≠≤≥Ωﬁﬂ"
_STRANGE = re.compile(
    f"[a-zß-ÿ][À-ÖØ-ÞŠŒŽŸ]|[^\\W\\d_][{_SIGNS}]|[{_SIGNS}][^\\W\\d_]|[{_SIGNS}]{{2}}|[À-ÖØ-öø-ÿŠŒŽŸšœž]{{3}}"
)


@dataclass(frozen=True)
class Table:
    """Rows of cells, the first of which may be a heading. `note` says what is doubtful about the text; mostly nothing."""

    name: str
    rows: Iterator[list[str]]
    delimiter: str = ","
    note: str = ""


def open_table(path: str | os.PathLike[str], most: int | None = None) -> Table:
    """The table of a file of at most `most` bytes; lines without any cell are left out.

    Raises BadInput, at once or while the rows are read, for what is no table, one that nothing says how to read, or no plain
    file.
    """
    path = Path(path).expanduser()
    try:
        encoding, note = _encoding(path, most)
        delimiter, skip = _shape(path, encoding)
    except OSError as error:
        raise _unreadable(path.name, error.strerror or str(error)) from None
    except (UnicodeError, csv.Error) as error:
        raise _unreadable(path.name, str(error)) from None
    return Table(path.name, islice(_rows_of(path, encoding, delimiter), skip, None), delimiter, note)


def parse_table(text: str, name: str = "table") -> Table:
    """The table of a text. Raises BadInput as `open_table` does."""
    text = text.lstrip("\ufeff")
    delimiter, skip = _sniffed(lines(io.StringIO(text, newline="")))
    return Table(name, islice(_rows(lines(io.StringIO(text, newline="")), delimiter, name), skip, None), delimiter)


def _unreadable(name: str, why: str) -> BadInput:
    return BadInput(f"The table {_shown(name)} cannot be read ({why}); save it as CSV in UTF-8.")


def _shown(name: str) -> str:
    return name.encode("utf-8", "replace").decode()


def _encoding(path: Path, most: int | None) -> tuple[str, str]:
    """How the text of a file is written, and what to say of it. Raises OSError and BadInput."""
    with open_plain(path, most) as file:
        head = file.read(_CHUNK)
        for begin, what in _NO_TABLES:
            if head.startswith(begin):
                raise BadInput(f"The file {_shown(path.name)} is {what}, not a table; save it as CSV (UTF-8) and take that.")
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding, ""
        even, odd = (head[start:1000:2] for start in (0, 1))
        if max(even.count(0), odd.count(0)) > len(odd) / 2:  # UTF-16 without a mark
            return ("utf-16-le", "") if odd.count(0) > even.count(0) else ("utf-16-be", "")
        decoder, part = codecs.getincrementaldecoder("utf-8")(), head
        try:
            while part:
                decoder.decode(part)
                part = file.read(_CHUNK)
            decoder.decode(b"", final=True)
            return "utf-8", ""
        except UnicodeDecodeError:
            pass
        file.seek(0)
        some = [line for line in islice(iter(lambda: file.readline(LINE), b""), 100_000) if not line.isascii()]
    whole = sum(map(_is_utf8, some))
    if 2 * whole > len(some):  # one bad line does not cost the others
        broken = f"{len(some) - whole:,} lines of the table {_shown(path.name)}"
        return "utf-8", f"{broken} have letters that cannot be read: they are not UTF-8 as the others are."
    beyond = b"\n".join(some)
    for encoding, called in (("cp1252", "Windows-1252"), ("mac_roman", "Mac Roman")):
        try:
            text = beyond.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _STRANGE.search(text):
            word = next((word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()), "")
            example = f", as in “{word[:40]}”" if word else ""
            return encoding, f"The table {_shown(path.name)} is not UTF-8 and was read as {called}{example}."
    raise BadInput(
        f"The letters of {_shown(path.name)} are written in a way that cannot be told; save it as CSV (UTF-8) and try again."
    )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(path: Path, encoding: str) -> io.TextIOWrapper:
    # a letter that cannot be read becomes U+FFFD, which whoever takes names from the cells refuses
    return io.TextIOWrapper(open_plain(path), newline="", encoding=encoding, errors="replace")


def _shape(path: Path, encoding: str) -> tuple[str, int]:
    with _text(path, encoding) as file:
        return _sniffed(lines(file))


def _rows_of(path: Path, encoding: str, delimiter: str) -> Iterator[list[str]]:
    try:
        with _text(path, encoding) as file:
            yield from _rows(lines(file), delimiter, path.name)
    except OSError as error:
        raise _unreadable(path.name, error.strerror or str(error)) from None


def _rows(texts: Iterable[str], delimiter: str, name: str) -> Iterator[list[str]]:
    try:
        yield from (row for row in csv.reader(texts, delimiter=delimiter) if any(map(str.strip, row)))
    except csv.Error as error:
        raise _unreadable(name, str(error)) from None


def _sniffed(texts: Iterator[str]) -> tuple[str, int]:
    """What parts the cells, and how many lines at the front are no rows: the one that says so."""
    first = next(texts, "")
    if said := _SEP.fullmatch(first):
        return said[1], 1
    some = list(islice(chain([first], texts), _LOOK))

    def alike(delimiter: str) -> tuple[float, int]:
        try:
            widths = [len(row) for row in csv.reader(some, delimiter=delimiter) if row]
        except csv.Error:
            return 0.0, 0
        if not widths or widths[0] < 2:
            return 0.0, 0
        return sum(width == widths[0] for width in widths) / len(widths), widths[0]

    best = max(DELIMITERS, key=alike)
    if alike(best)[1]:
        return best, 0
    is_list = alike(" ") == (1.0, 2) and all(_ENDING.search(line.split(" ")[0]) for line in some if line.strip())
    return " " if is_list else ",", 0  # "images/1.jpg 3", as lists for Caffe are written
