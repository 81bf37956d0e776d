"""What a classifier or a model is worth: measured on labelled or captioned images, always with their number."""

from .answers import Judged, above, judge, known
from .compare import Comparison, compare, other_classes
from .leaks import Leaks, find_leaks, sketch_of
from .models import ModelRow, SideBySide, iter_side_by_side
from .report import Report, evaluate, summarise
from .retrieval import RetrievalReport, evaluate_retrieval
from .sets import EmbeddedSet, iter_embed_set, measure_set

__all__ = [
    "Comparison",
    "EmbeddedSet",
    "Judged",
    "Leaks",
    "ModelRow",
    "Report",
    "RetrievalReport",
    "SideBySide",
    "above",
    "compare",
    "evaluate",
    "evaluate_retrieval",
    "find_leaks",
    "iter_embed_set",
    "iter_side_by_side",
    "judge",
    "known",
    "measure_set",
    "other_classes",
    "sketch_of",
    "summarise",
]
