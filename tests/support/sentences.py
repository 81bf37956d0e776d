"""What every message to a person must be."""


def assert_sentence(error: BaseException) -> None:
    """One sentence on one line: it begins like one, ends like one, and shows no code."""
    text = str(error)
    assert not text[0].islower(), text
    assert text.endswith("."), text
    assert "\n" not in text
    assert "Traceback" not in text
