"""Ready-made names on the page: taken, and one's own put back."""

import pytest

from clipcore import BadInput, parse_labels
from ui.classify.ready import BACK, describe, take


def test_names_are_taken_with_their_prompts_and_one_s_own_come_back():
    note, use, _ = describe("FER2013")
    assert "58 %" in note
    assert use.interactive
    names, templates, button, before = take("FER2013", None, "cat, dog", "a {label}")
    assert parse_labels(names)[1]["happy"] == ("smiling",)
    assert "a face that looks {label}." in templates
    assert button.value == BACK
    assert take("FER2013", before, names, templates)[:2] == ("cat, dog", "a {label}")
    with pytest.raises(BadInput, match="Choose whose names"):
        take(None, None, "", "")
