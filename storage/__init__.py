"""What is kept: pictures, vectors, classifiers, jobs. Storage is given an encoder and never loads one.

with Library("~/sayso", clip) as library:
    library.add("photos/")
    for hit in library.search("a dog on a beach", k=5):
        print(hit.path, hit.score)
"""

from .database import LibraryError
from .jobs import Jobs
from .library import Library
from .records import Added, ClassifierRecord, FolderRecord, Hit, ImageRecord, JobRecord, Run, SkippedRecord

__all__ = [
    "Added",
    "ClassifierRecord",
    "FolderRecord",
    "Hit",
    "ImageRecord",
    "JobRecord",
    "Jobs",
    "Library",
    "LibraryError",
    "Run",
    "SkippedRecord",
]
