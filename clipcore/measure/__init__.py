"""What a classifier or a model is worth: measured on labelled or captioned images, always with their number."""

from .report import Report, evaluate
from .retrieval import RetrievalReport, evaluate_retrieval
from .sets import EmbeddedSet, iter_embed_set, measure_set

__all__ = [
    "EmbeddedSet",
    "Report",
    "RetrievalReport",
    "evaluate",
    "evaluate_retrieval",
    "iter_embed_set",
    "measure_set",
]
