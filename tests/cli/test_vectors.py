"""--vectors: the same answers from Milvus Lite as from FAISS, and what is no address."""

import os

import pytest

from clipcore.models import is_here
from tests.support.commands import sayso
from tests.support.fakes import photo

pytestmark = pytest.mark.skipif(not is_here("starter"), reason="the starter's weights are not in this checkout")


def test_milvus_answers_as_faiss_does(tmp_path):
    pytest.importorskip("milvus_lite", reason="requirements-extras/milvus.txt is not installed")
    for index, colour in enumerate(("red", "green", "blue", "white")):
        photo(tmp_path / "photos" / f"{colour}.png", colour, (40 + index, 40))
    home, file = tmp_path / "home", tmp_path / "vectors.db"
    sayso("add", str(tmp_path / "photos"), "--vectors", str(file), home=home)
    there, _ = sayso("search", "something red", "--json", "--vectors", str(file), home=home)
    here, _ = sayso("search", "something red", "--json", home=home)
    assert file.exists()
    assert there == here
    assert "SAYSO_VECTORS" not in os.environ
    found, _ = sayso("doctor", "--json", "--vectors", str(file), home=home)
    assert [row for row in found if row["check"] == "index"] == []


def test_what_is_no_address(tmp_path):
    _, said = sayso("search", "red", "--vectors", "ftp://host", home=tmp_path, code=2)
    assert "http://host:19530" in said
