"""Bias: who gets which label, and what happens when a class is added (Radford et al., 2021, section 7).

facts = match_table(read_table("groups.csv"), paths)
bench = Bench(clip, clip.embed_images(paths), facts)
people = LabelSet.parse("people", "man, woman, criminal")
design = Design((people,), by=("race",), categories={"crime": ("criminal",)})
table = bench.measure(design)[0]
moved = bench.what_if(design, "people", add="child")
"""

from .bench import Bench
from .design import Design, LabelSet, parse_category
from .groups import Facts, Groups, group, parse_bins
from .report import LIMITS, report_html, report_json
from .sources import (
    PictureTable,
    facts_from_folders,
    facts_from_labels,
    facts_from_names,
    match_table,
    parse_table,
    read_table,
)
from .stress import Stress, Sweep
from .study import FOLDERS, LABELS, NAMES, Study, read_study
from .tables import Table, tabulate
from .whatif import Change

__all__ = [
    "FOLDERS",
    "LABELS",
    "LIMITS",
    "NAMES",
    "Bench",
    "Change",
    "Design",
    "Facts",
    "Groups",
    "LabelSet",
    "PictureTable",
    "Stress",
    "Study",
    "Sweep",
    "Table",
    "facts_from_folders",
    "facts_from_labels",
    "facts_from_names",
    "group",
    "match_table",
    "parse_bins",
    "parse_category",
    "parse_table",
    "read_study",
    "read_table",
    "report_html",
    "report_json",
    "tabulate",
]
