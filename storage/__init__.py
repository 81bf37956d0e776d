"""What is kept: pictures, vectors, classifiers, jobs. Storage is given an encoder and never loads one.

with Library("~/sayso", clip) as library:
    library.add("photos/")
    for hit in library.search("a dog on a beach", k=5):
        print(hit.path, hit.score)
"""

from .database import LibraryError
from .duplicates import SIMILAR, Duplicates
from .filters import ORDERS, Filters, Order, parse_day
from .jobs import Jobs
from .library import Library
from .query import parse_query
from .records import Added, ClassifierRecord, FolderRecord, Found, Hit, ImageRecord, JobRecord, Run, SkippedRecord

__all__ = [
    "ORDERS",
    "SIMILAR",
    "Added",
    "ClassifierRecord",
    "Duplicates",
    "Filters",
    "FolderRecord",
    "Found",
    "Hit",
    "ImageRecord",
    "JobRecord",
    "Jobs",
    "Library",
    "LibraryError",
    "Order",
    "Run",
    "SkippedRecord",
    "parse_day",
    "parse_query",
]
