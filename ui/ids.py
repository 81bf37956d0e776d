"""The types of the numbers that routes take: ids of rows, steps, and places in a list. One way to refuse what none can be.

Every number of a route is one of these; `tests/security` looks that it is.
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from clipcore.pictures.exif import STARS
from storage import known_id

Id = Annotated[int, AfterValidator(known_id)]  # of anything in the database, a step of the labels too; NotFound beyond
Offset = Annotated[int, Field(ge=-(2**31), lt=2**31)]  # into a list, or how many of it
Stars = Annotated[int, Field(ge=0, le=STARS)]  # of a picture, 0 for none
