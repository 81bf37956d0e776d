"""What to know about class names while they are typed: the advice of `clipcore.advice`, and what judges people."""

from collections.abc import Sequence
from html import escape

from clipcore import PromptSet
from clipcore.advice import Advice, advise
from clipcore.sensitive import notice, sensitive

MOST = 4  # pieces of advice that are shown; more would make no one read


def advice_html(labels: Sequence[str], prompts: PromptSet) -> str:
    """A short list, or nothing where there is nothing to say. No model is asked, so it keeps up with typing."""
    sentences = [_in_words(advice) for advice in advise(labels, prompts)]
    if caution := notice(sensitive(labels)):
        sentences.insert(0, caution)
    more = len(sentences) - MOST
    if more > 0:
        sentences = [*sentences[:MOST], f"And {more} more like these; python app.py advise lists them all."]
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="advice" role="status" aria-label="About these names">{items}</ul>' if items else ""


def _in_words(advice: Advice) -> str:
    if not advice.suggestions:
        return advice.sentence
    return f"{advice.sentence} For instance: {' or '.join(f'“{name}”' for name in advice.suggestions[:3])}."
