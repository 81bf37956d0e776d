"""Tables in every way that spreadsheets write them: one reader, the same cells; what cannot be told is said."""

import pytest

from clipcore import BadInput
from clipcore.tables import open_table, parse_table
from tests.support.sentences import assert_sentence

ROWS = [["image", "label"], ["a.jpg", "café"], ["b, c.jpg", 'Größe "L"; x']]


def written(delimiter: str, end: str = "\n") -> str:
    quoted = [
        [f'"{cell.replace(chr(34), chr(34) * 2)}"' if delimiter in cell or '"' in cell else cell for cell in row]
        for row in ROWS
    ]
    return end.join(delimiter.join(row) for row in quoted) + end


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "mac_roman"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_same_cells_however_they_are_written(tmp_path, delimiter, encoding, end):
    (tmp_path / "t.csv").write_bytes(written(delimiter, end).encode(encoding))
    table = open_table(tmp_path / "t.csv")
    assert list(table.rows) == ROWS
    assert table.delimiter == delimiter
    assert bool(table.note) is (encoding in ("cp1252", "mac_roman"))
    if table.note:
        assert "café" in table.note
        assert_sentence(table.note)


def test_the_line_of_excel_that_says_what_parts_the_cells(tmp_path):
    (tmp_path / "t.csv").write_text('sep=;\r\nimage;label\r\n"a;b.jpg";x, y\r\n', encoding="utf-8-sig")
    assert list(open_table(tmp_path / "t.csv").rows) == [["image", "label"], ["a;b.jpg", "x, y"]]


def test_commas_in_sentences_do_not_part_what_tabs_or_semicolons_part():
    tab = "image\tcaption\na.jpg\tA dog, a cat, and a bird.\nb.jpg\tTwo, perhaps; three.\n"
    assert list(parse_table(tab).rows)[1] == ["a.jpg", "A dog, a cat, and a bird."]
    assert list(parse_table(tab.replace("\t", ";").replace("s;", "s")).rows)[1] == ["a.jpg", "A dog, a cat, and a bird."]
    assert list(parse_table("only\none\n").rows) == [["only"], ["one"]]


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gbk"])
def test_letters_that_cannot_be_told_are_refused(tmp_path, encoding):
    words = "Кошка" if encoding == "cp1251" else "かわいい犬"
    (tmp_path / "t.csv").write_bytes(f"image,label\na.jpg,{words}\n".encode(encoding))
    with pytest.raises(BadInput, match="cannot be told; save it as CSV") as caught:
        open_table(tmp_path / "t.csv")
    assert_sentence(caught.value)


def test_one_broken_line_does_not_cost_the_others(tmp_path):
    lines = [f"{i}.jpg,café {i}".encode() for i in range(9)]
    (tmp_path / "t.csv").write_bytes(b"\n".join([b"image,label", *lines, b"x.jpg,caf\xe9"]))
    table = open_table(tmp_path / "t.csv")
    assert [row[1] for row in table.rows][1:] == [*(f"café {i}" for i in range(9)), "caf\ufffd"]
    assert "1 lines of the table t.csv have letters that cannot be read" in table.note


@pytest.mark.parametrize(
    ("begin", "says"),
    [(b"PK\x03\x04", "workbook"), (b"\xd0\xcf\x11\xe0", "workbook"), (b"PAR1", "Parquet"), (b"\x1f\x8b", "compressed")],
)
def test_what_is_no_table_is_called_by_its_name(tmp_path, begin, says):
    (tmp_path / "t.csv").write_bytes(begin + b"\0" * 40)
    with pytest.raises(BadInput, match=f"file t.csv is .*{says}") as caught:
        open_table(tmp_path / "t.csv")
    assert_sentence(caught.value)


def test_a_list_with_spaces_and_captions_with_spaces():
    assert list(parse_table("images/1.jpg 3\nimages/2.jpg 5\n").rows) == [["images/1.jpg", "3"], ["images/2.jpg", "5"]]
    assert list(parse_table("a dog\na cat\n").rows) == [["a dog"], ["a cat"]]
