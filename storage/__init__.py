"""What is kept: pictures, vectors, classifiers, jobs. Storage is given an encoder and never loads one.

with Library("~/sayso", clip) as library:
    library.add("photos/")
    for hit in library.search("a dog on a beach", k=5):
        print(hit.path, hit.score)
"""

from .backups import Backup
from .care import CHECKS, Finding, Keeper, iter_examine
from .database import LibraryError, known_id
from .filters import ORDERS, ORIENTATIONS, Filters, Order, Orientation, parse_day
from .jobs import Jobs
from .labels.moves import Moved, Place
from .library import Library
from .people import ROLES, SCOPES, People, Person, Role, Token, acting
from .pictures.duplicates import SIMILAR, Duplicates
from .pictures.map import Map
from .pieces import Pieces
from .records import (
    Added,
    AlbumRecord,
    Answer,
    ClassifierRecord,
    FolderRecord,
    Found,
    Hit,
    ImageRecord,
    Imported,
    IndexInfo,
    JobRecord,
    ReportRecord,
    Run,
    SessionRecord,
    SkippedRecord,
)
from .restoring import restore
from .search.query import parse_query
from .telling import Teller
from .webhooks import WebhookRecord

__all__ = [
    "CHECKS",
    "ORDERS",
    "ORIENTATIONS",
    "ROLES",
    "SCOPES",
    "SIMILAR",
    "Added",
    "AlbumRecord",
    "Answer",
    "Backup",
    "ClassifierRecord",
    "Duplicates",
    "Filters",
    "Finding",
    "FolderRecord",
    "Found",
    "Hit",
    "ImageRecord",
    "Imported",
    "IndexInfo",
    "JobRecord",
    "Jobs",
    "Keeper",
    "Library",
    "LibraryError",
    "Map",
    "Moved",
    "Order",
    "Orientation",
    "People",
    "Person",
    "Pieces",
    "Place",
    "ReportRecord",
    "Role",
    "Run",
    "SessionRecord",
    "SkippedRecord",
    "Teller",
    "Token",
    "WebhookRecord",
    "acting",
    "iter_examine",
    "known_id",
    "parse_day",
    "parse_query",
    "restore",
]
