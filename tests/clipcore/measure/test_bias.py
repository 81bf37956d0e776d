"""The bias bench on pictures whose answers can be worked out by hand, and its statistics against scipy's."""

import json

import numpy as np
import pytest
from scipy import stats

from clipcore import BadInput
from clipcore.classify.sensitive import notice, sensitive
from clipcore.measure.bias import (
    Bench,
    Design,
    Facts,
    LabelSet,
    facts_from_folders,
    facts_from_labels,
    facts_from_names,
    group,
    match_table,
    parse_bins,
    parse_table,
    read_table,
    report_html,
    report_json,
)
from clipcore.measure.bias.statistics import (
    any_difference,
    benjamini_hochberg,
    fisher,
    holm,
    mcnemar,
    newcombe,
)
from tests.support.fakes import FakeEncoder, unit

HOSTILE = "<img src=x onerror=alert(1)>"
PEOPLE = LabelSet("people", ("red man", "green woman"))
HARM = LabelSet("people+harm", ("red man", "green woman", "grey animal"))
# Each picture is one colour. A: 40 red, 10 green. B: 20 red, 20 green, 10 grey. C: 5 blue with a little grey.
RED, GREEN, GREY, BLUE = np.eye(4, dtype=np.float32)[[0, 1, 3, 2]]


@pytest.fixture
def bench(encoder):
    blue = BLUE + 0.3 * GREY
    rows = [RED] * 40 + [GREEN] * 10 + [RED] * 20 + [GREEN] * 20 + [GREY] * 10 + [blue] * 5
    facts = Facts({"race": ("A",) * 50 + ("B",) * 50 + ("C",) * 5, "age": tuple(str(i % 30) for i in range(105))})
    return Bench(encoder, unit(np.array(rows, np.float32)), facts)


@pytest.fixture
def design():
    return Design((PEOPLE, HARM), ("race",), {"harm": ("grey animal", "nothing")})


def test_the_exact_table(bench, design):
    people, harm = bench.measure(design)
    assert people.groups == ("A", "B", "C")
    assert people.sizes.tolist() == [50, 50, 5]
    # The grey pictures of B are as far from red as from green: the first class gets them.
    assert people.counts.tolist() == [[40, 30, 5], [10, 20, 0]]
    assert [(row.name, row.kind) for row in harm.rows] == [
        ("harm", "category"),
        ("red man", "class"),
        ("green woman", "class"),
        ("grey animal", "class"),
    ]
    assert harm.counts.tolist() == [[0, 10, 5], [40, 20, 0], [10, 20, 0], [0, 10, 5]]
    assert harm.overall.tolist() == [15, 60, 30, 15]
    assert harm.share[0].tolist() == [0, 0.2, 1]
    assert harm.small.tolist() == [False, False, True]
    assert np.isnan(harm.p[:, 2]).all()
    # A against B and C together: 40 of 50 and 20 of 55 are red.
    assert harm.p[1, 0] == pytest.approx(stats.fisher_exact([[40, 10], [20, 35]])[1])
    assert harm.difference[1, 0] == pytest.approx(40 / 50 - 20 / 55)
    for i, j in ((0, 1), (1, 0), (2, 1)):
        low, high = stats.binomtest(int(harm.counts[i, j]), 50).proportion_ci(0.95, "wilson")
        assert (harm.low[i, j], harm.high[i, j]) == pytest.approx((low, high))
    tested = harm.p[:, :2].ravel()
    assert harm.bh[:, :2].ravel() == pytest.approx(stats.false_discovery_control(tested))
    both = np.array([[40, 20], [10, 30]])
    assert harm.spread[1] == pytest.approx(stats.chi2_contingency(both, correction=False).pvalue)


def test_against_one_group(bench, design):
    against = Design(design.label_sets, ("race",), reference="A")
    [people, _] = bench.measure(against)
    assert np.isnan(people.p[:, 0]).all()
    assert people.p[0, 1] == pytest.approx(stats.fisher_exact([[30, 20], [40, 10]])[1])
    assert people.difference[0, 1] == pytest.approx(-0.2)
    with pytest.raises(BadInput, match="too few to compare"):
        bench.measure(Design(design.label_sets, ("race",), reference="C"))
    with pytest.raises(BadInput, match="no group “Z”"):
        bench.measure(Design(design.label_sets, ("race",), reference="Z"))


def test_a_cell_leads_to_its_pictures(bench, design):
    assert sorted(bench.cell(design, "people+harm", "harm", "category", "B")) == list(range(90, 100))
    assert sorted(bench.cell(design, "people+harm", "harm", "category")) == list(range(90, 105))
    assert bench.cell(design, "people+harm", "green woman", of="C").tolist() == []
    with pytest.raises(BadInput, match="no class “pink”"):
        bench.cell(design, "people", "pink")


def test_what_moves_when_a_class_is_added(bench, design):
    change = bench.what_if(design, "people", add="grey animal")
    assert sorted(change.moved) == list(range(90, 105))
    assert change.pairs == [("red man", "grey animal", 15)]
    assert [row.name for row in change.rows] == ["harm", "red man", "green woman", "grey animal"]
    assert change.had.tolist() == [[0, 0, 0], [40, 30, 5], [10, 20, 0], [0, 0, 0]]
    assert change.has.tolist() == [[0, 10, 5], [40, 20, 0], [10, 20, 0], [0, 10, 5]]
    assert change.was_there.tolist() == [False, True, True, False]
    raw = [[1, 2 / 2**10], [1, 2 / 2**10], [1, 1], [1, 2 / 2**10]]
    assert change.p[:, :2] == pytest.approx(holm(np.array(raw)))
    assert np.isnan(change.p[:, 2]).all()
    assert change.to_json()["typed"] == "red man, green woman, grey animal"


def test_a_new_name_alone_moves_nothing(bench, design):
    change = bench.what_if(design, "people+harm", rename={"grey animal": "dark grey beast"})
    assert change.moved.tolist() == []
    assert change.has.tolist() == change.had.tolist()
    assert change.has[0].tolist() == [0, 10, 5]  # the category knows the class under its new name
    away = bench.what_if(design, "people+harm", remove=["grey animal"])
    assert sorted(away.moved) == list(range(90, 105))
    assert away.is_there.tolist() == [False, True, True, False]
    for wrong in ({"remove": ["pink"]}, {"add": "red man"}, {"remove": ["red man", "green woman"]}):
        with pytest.raises(BadInput):
            bench.what_if(design, "people+harm", **wrong)


def test_only_new_words_are_encoded(bench, design):
    encoder = bench.encoder
    bench.measure(design)
    before = encoder.texts_encoded
    bench.measure(design)
    bench.what_if(design, "people", add="blue child")
    assert encoder.texts_encoded == before + 7  # one class in the seven templates
    assert encoder.embedded == 0


def test_thresholds(bench, design):
    found = bench.sweep(design, "people+harm")
    shares = bench.answers(HARM, design.prompts).shares
    for k, threshold in enumerate(found.thresholds):
        assert found.share[1, 0, k] == pytest.approx((shares[:50, 0] >= np.float32(threshold)).mean())
        assert found.share[0, 1, k] == pytest.approx((shares[50:100, 2] >= np.float32(threshold)).mean())
    assert (np.diff(found.share, axis=2) <= 0).all()
    assert found.share[0, 1].tolist() == [0.2] * len(found.thresholds)  # grey pictures, and no others at any threshold
    # Blue with a little grey: cosine 0.287 with grey, so a share of e^2.87 / (e^2.87 + 2) at a scale of ten.
    assert found.share[0, 2].tolist() == [float(threshold < 0.898) for threshold in found.thresholds]


def test_a_near_miss_caption_draws_pictures_away(bench, design):
    found = bench.stress(design, "people", ["something grey", "red", "  "])
    assert found.captions == ("something grey", "red")
    # Grey takes what is grey; "red" is where every sentence about a red man is, so it takes nothing for certain.
    assert found.taken[0].tolist() == [0, 10, 5]
    assert found.by_class[0].tolist() == [15, 0]
    assert found.had.tolist() == [75, 30]
    assert (found.taken[-1] >= found.taken[:-1]).all()
    with pytest.raises(BadInput, match="one a line"):
        bench.stress(design, "people", [" "])


# statistics


def test_fishers_test_is_scipys():
    rng = np.random.default_rng(0)
    n, m = rng.integers(1, 60, 300), rng.integers(1, 300, 300)
    a, c = rng.integers(0, n + 1), rng.integers(0, m + 1)
    expected = [stats.fisher_exact([[x, y - x], [z, w - z]])[1] for x, y, z, w in zip(a, n, c, m, strict=True)]
    assert fisher(a, n, c, m) == pytest.approx(expected, rel=1e-8)
    assert fisher(np.array([0]), np.array([0]), np.array([3]), np.array([9])).tolist() == [1.0]


def test_other_tests_are_scipys():
    hits, n = np.array([[3, 9, 20], [0, 0, 0]]), np.array([30, 40, 50])
    expected = stats.chi2_contingency(np.array([hits[0], n - hits[0]]), correction=False).pvalue
    assert any_difference(hits, n) == pytest.approx([expected, 1])
    left, came = np.array([0, 3, 5, 0, 12]), np.array([4, 3, 9, 0, 1])
    expected = [stats.binomtest(int(x), int(x + y)).pvalue if x + y else 1 for x, y in zip(left, came, strict=True)]
    assert mcnemar(left, came) == pytest.approx(expected)


def test_corrections_for_many_comparisons():
    p = np.array([[0.01, 0.04], [np.nan, 0.03]])
    assert holm(p) == pytest.approx(np.array([[0.03, 0.06], [np.nan, 0.06]]), nan_ok=True)
    assert benjamini_hochberg(p) == pytest.approx(np.array([[0.03, 0.04], [np.nan, 0.04]]), nan_ok=True)
    many = np.random.default_rng(1).random(50) ** 3
    assert benjamini_hochberg(many) == pytest.approx(stats.false_discovery_control(many))
    assert np.isnan(holm(np.array([np.nan]))).all()


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe (1998), Table II, method 10
    for (a, n, c, m), low, high in (((56, 70, 48, 80), 0.0524, 0.3339), ((9, 10, 3, 10), 0.1705, 0.8090)):
        difference, below, above = newcombe(*(np.array([x]) for x in (a, n, c, m)))
        assert difference[0] == pytest.approx(a / n - c / m)
        assert (below[0], above[0]) == pytest.approx((low, high), abs=5e-5)


def test_intervals_hold_the_truth():
    """Of 2,000 drawn groups of 40 about 95 % have an interval that holds the share they were drawn with."""
    from clipcore.measure.intervals import wilson

    hits = np.random.default_rng(2).binomial(40, 0.14, 2000)
    low, high = wilson(hits, np.full(2000, 40))
    assert 0.93 < ((low <= 0.14) & (high >= 0.14)).mean() < 0.98


# groups


def test_fairfaces_table_finds_its_files(tmp_path):
    text = (
        "file,age,gender,race,service_test\nval/1.jpg,3-9,Male,East Asian,False\nval/2.jpg,more than 70,Female,White,True\n"
    )
    (tmp_path / "labels.csv").write_text("\ufeff" + text, encoding="utf-8")
    table = read_table(tmp_path / "labels.csv")
    assert table.columns == ("age", "gender", "race", "service_test")
    facts = match_table(table, [f"{tmp_path}/val/2.jpg", f"{tmp_path}/val/1.jpg", f"{tmp_path}/other.jpg"])
    assert facts.columns["age"] == ("more than 70", "3-9", "")
    assert facts.notes == ("1 image of the folder is not in labels.csv and left out.",)
    assert group(facts, ["age"]).names == ("3-9", "more than 70")
    flat = match_table(table, ["/elsewhere/1.jpg"])  # by the name alone
    assert flat.columns["race"] == ("East Asian",)
    with pytest.raises(BadInput, match="No row of labels"):
        match_table(table, ["/elsewhere/9.jpg"])


def test_names_that_several_rows_have_say_nothing():
    table = parse_table("path;group\na/1.jpg;x\nb/1.jpg;y\nb/1.jpg;z\nc/2.jpg;y\n")
    facts = match_table(table, ["/r/a/1.jpg", "/r/b/1.jpg", "/r/1.jpg", "\\r\\c\\2.jpg"])
    assert facts.columns["group"] == ("x", "y", "", "y")
    assert facts.notes[-1] == "1 image of table occurs again with other values; the first row counts."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("file,age\n", "no rows"),
        ("file,age,age\n1.jpg,2,3\n", "two columns “age”"),
        ("who,age\nAnn,3\n", "which image a row is about"),
        ("file\n1.jpg\n", "no column beside"),
    ],
)
def test_tables_that_cannot_be_used(text, words):
    with pytest.raises(BadInput, match=words):
        parse_table(text)


def test_a_column_of_file_names_is_found_whatever_its_name():
    assert parse_table("photo,sex\nx.png,f\ny.webp,m\n").rows == {"x.png": ("f",), "y.webp": ("m",)}


def test_utkface_names(tmp_path):
    facts = facts_from_names(["/d/25_1_0_20170116.jpg", "3_0_2_20161219.jpg.chip.jpg", "61_1_20170109.jpg"])
    assert facts.columns == {"age": ("25", "3", ""), "gender": ("female", "male", ""), "race": ("White", "Asian", "")}
    with pytest.raises(BadInput, match="UTKFace"):
        facts_from_names(["photo.jpg"])


def test_folders_and_labels(tmp_path):
    facts = facts_from_folders([tmp_path / "young_people" / "a" / "1.jpg", tmp_path / "2.jpg"], tmp_path)
    assert facts.columns == {"folder": ("young people", ""), "folder 2": ("a", "")}
    facts = facts_from_labels([{"cat": 1, "dog": -1}, {"cat": 1, "asleep": 1}, {}, {"cat": 0}])
    assert facts.columns["label"] == ("cat", "asleep + cat", "", "")
    for wrong in (lambda: facts_from_folders([tmp_path / "1.jpg"], tmp_path), lambda: facts_from_labels([{}])):
        with pytest.raises(BadInput):
            wrong()


def test_numbers_are_binned_and_columns_crossed():
    facts = Facts({"age": ("0", "2", "3", "70", "", "-1"), "sex": ("f", "m", "f", "f", "f", "m"), "cm": ("1.5",) * 6})
    assert facts.suggested_bins("age") == ()  # ages are not below zero
    found = group(facts, ["age", "sex"], {"age": (0, 3, 4, 70)})
    assert found.names == ("0-2 · f", "0-2 · m", "3 · f", "70 and over · f")
    assert found.place.tolist() == [0, 1, 2, 3, -1, -1]
    assert found.sizes.tolist() == [1, 1, 1, 1]
    assert group(facts, ["cm"], {"cm": (1, 1.7)}).names == ("1 to under 1.7",)
    ages = Facts({"Age (years)": tuple(map(str, range(80)))})
    assert ages.suggested_bins("Age (years)") == (0, 3, 10, 20, 30, 40, 50, 60, 70)
    assert Facts({"iso": tuple(map(str, range(100)))}).suggested_bins("iso") == (0, 24.75, 49.5, 74.25)
    for by, bins in ((["age"], {"age": (3, 3)}), (["sex"], {"sex": (1, 2)}), ([], {}), (["who"], {})):
        with pytest.raises(BadInput):
            group(facts, by, bins)
    with pytest.raises(BadInput, match="more than 200"):
        group(Facts({"n": tuple(map(str, range(300)))}), ["n"])


def test_bins_as_typed():
    assert parse_bins(" 0, 3;10  20 ") == (0, 3, 10, 20)
    for text in ("", "3, 2", "young", "nan"):
        with pytest.raises(BadInput, match="such as 0, 3, 10, 20"):
            parse_bins(text)


# designs and reports


def test_designs_survive_json(design):
    full = Design(design.label_sets, ("race", "age"), design.categories, {"age": (0.0, 18.0)}, small=12, reference="A")
    assert Design.from_json(json.loads(json.dumps(full.to_json()))) == full
    typed = Design.from_json({"label_sets": [{"name": "a", "labels": "x = y | z, w"}], "by": ["race"], "prompts": "bare"})
    assert typed.label_sets[0].typed == "x = y | z, w"
    assert typed.prompts.name == "bare"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"label_sets": [], "by": ["race"]},
        {"label_sets": [{"name": "a", "labels": "x"}], "by": ["race"]},
        {"label_sets": [{"name": "a", "labels": "x,y"}] * 2, "by": ["race"]},
        {"label_sets": [{"name": "", "labels": "x,y"}], "by": ["race"]},
        {"label_sets": [{"name": "a", "labels": "x,y"}], "by": ["race"], "small": 0},
        {"label_sets": [{"name": "a", "labels": "x,y"}], "by": ["race"], "categories": {"c": " , "}},
        {"label_sets": [{"name": "a", "labels": "x,y"}], "by": ["race"], "prompts": {"name": 3}},
    ],
)
def test_designs_that_cannot_be_measured(data):
    with pytest.raises(BadInput):
        Design.from_json(data)


def test_the_report_says_everything_and_needs_nothing(encoder, bench, design):
    hostile = Design(
        (LabelSet(HOSTILE, ("red criminal", f"green {HOSTILE}")), HARM), ("race",), {HOSTILE: ("red criminal",)}
    )
    keys = ["same", "same", *map(str, range(103))]
    report = report_json(f"faces {HOSTILE}", bench.facts, keys, encoder, hostile, bench.measure(hostile))
    json.dumps(report, allow_nan=False)
    assert report["data"]["n"] == 105
    assert report["data"]["columns"][0]["values"] == [["A", 50], ["B", 50], ["C", 5]]
    assert report["data"]["notes"] == [
        "1 of the images is the same file as another one.",
        "1 image occurs with different values, so some of what the table says is wrong.",
    ]
    assert report["model"]["fingerprint"] == encoder.space.key
    assert "crime" in report["notice"]
    page = report_html(report, [bench.sweep(hostile, HARM.name), bench.sweep(hostile, HOSTILE)])
    assert HOSTILE not in page
    assert "<script" not in page
    assert page.count("<svg") == 1  # the one set that has a category
    for words in ("What this cannot show", "too few", "Wilson", "a photo of", encoder.space.key, "▼"):
        assert words in page, words


def test_names_that_judge_people():
    found = sensitive(["man", "Criminals", "white van", "an old castle"])
    assert [(one.label, one.kind) for one in found] == [
        ("man", "sex or gender"),
        ("Criminals", "crime"),
        ("white van", "origin"),
    ]
    assert sensitive(["white van", "black cat", "blind alley", "poor light"]) == []
    assert notice([]) == ""
    assert "Bias tab" in notice(found)


def test_facts_must_go_with_the_pictures():
    with pytest.raises(BadInput, match="do not go with"):
        Bench(FakeEncoder(), np.zeros((2, 4), np.float32), Facts({"a": ("x",)}))
    with pytest.raises(BadInput, match="no images"):
        Bench(FakeEncoder(), np.zeros((0, 4), np.float32), Facts({}))
