"""Reads what the page draws maps of."""

import json
import struct

import numpy as np


def unpacked(answer):
    """The header, and for each picture its name, place and group, as `ui/static/shared/map_points.js` reads them."""
    assert answer.status_code == 200, answer.text
    data = answer.content
    (length,) = struct.unpack_from("<I", data)
    head = json.loads(data[4 : 4 + length])
    shown, at = head["shown"], 4 + length
    assert at % 4 == 0  # or a browser could not lay its arrays over it
    ids = np.frombuffer(data, "<u4", shown, at)
    places = np.frombuffer(data, "<f4", 2 * shown, at + 4 * shown).reshape(-1, 2)
    groups = np.frombuffer(data, "<u2", shown, at + 12 * shown)
    assert len(data) == at + 14 * shown
    return head, ids, places, groups
