"""What the page does at its load and when there is news: one event each, whatever its parts ask for."""

import gradio as gr
import pytest

from clipcore import BadInput
from storage import Library
from tests.support.fakes import FakeEncoder
from ui.page import build
from ui.page_events import Together
from ui.studio import Studio


@pytest.fixture
def parts():
    with gr.Blocks():
        yield gr.Textbox(), gr.Textbox(), gr.Number()


def call(together, *values):
    """What the event answers for these values of its inputs."""
    wired = {}
    together.wire(lambda handler, inputs, outputs, **how: wired.update(handler=handler, inputs=inputs, outputs=outputs))
    return wired["handler"](*values), wired["inputs"], wired["outputs"]


def test_each_gets_its_own_inputs_and_all_forms_of_answers_are_joined(parts):
    first, second, third = parts
    together = Together()
    together(lambda one, two: {third: f"{one}{two}"}, [first, second], [third, first])
    together(lambda two: two.upper(), second, second)
    together(lambda: ("both", gr.skip()), None, [first, third], show_progress="hidden")
    together(lambda: gr.skip(), None, [first, second, third])
    answer, inputs, outputs = call(together, "a", "b")
    assert inputs == [first, second]
    assert outputs == [third, first, second]
    assert (answer[first], answer[second]) == ("both", "B")
    assert answer[third] == gr.skip()


def test_where_nothing_changes_nothing_is_answered(parts):
    together = Together()
    together(lambda: gr.skip(), None, list(parts))
    assert call(together)[0] == gr.skip()


def test_a_mistake_of_one_is_said_and_the_others_go_on(parts):
    def fails():
        raise BadInput("The disk is away.")

    first, second, _ = parts
    together = Together()
    together(fails, None, first)
    together(lambda: "there", None, second)
    with pytest.warns(UserWarning, match="The disk is away"):
        answer, *_ = call(together)
    assert answer == {second: "there"}


def test_a_load_of_the_page_is_few_events_and_at_rest_it_makes_none(tmp_path):
    """The third is the Images list, whose answers have to come in turn."""
    library = Library(tmp_path / "home", FakeEncoder())
    page = build(Studio(library, lambda: library.encoder, "fake"))
    causes = [cause for event in page.fns.values() for _, cause in event.targets]
    assert causes.count("load") == 2
    assert causes.count("news") == 1
    ticking = {block for event in page.fns.values() for block, cause in event.targets if cause == "tick"}
    assert ticking
    assert not any(page.blocks[timer].active for timer in ticking)
    # else each message of any event walks the page once for every output that there is
    assert all(len(event.show_progress_on) == 1 for event in page.fns.values() if event.show_progress == "hidden")
    library.close()
