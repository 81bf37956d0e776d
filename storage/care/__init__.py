"""What keeps a library well: an examination of all that its home holds, and the backup of each day.

doctor      every check in turn            keeper      makes backups beside other work, and says what is wrong
truth       the library's file             pictures    the files of the pictures, uploads, thumbnails
made        indexes and models             place       the disk, permissions, what was left lying
"""

from .doctor import CHECKS, iter_examine
from .findings import Finding
from .keeper import Keeper

__all__ = ["CHECKS", "Finding", "Keeper", "iter_examine"]
