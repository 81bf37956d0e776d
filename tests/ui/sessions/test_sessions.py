"""The session switcher without a browser: what is kept, two windows, jobs that outlive theirs, what is put on the page."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest

from clipcore import BadInput, NotFound, PromptSet, zero_shot_classifier
from clipcore.classify.prompts import DEFAULT_PACK, pack
from storage import Library
from tests.support.fakes import FakeEncoder, photo
from tests.support.routes import answering
from ui.classify import staleness, tab, versions
from ui.form_values import wanted
from ui.sessions import switcher
from ui.sessions.fields import Fields, belongs, session_of
from ui.studio import Studio

TEMPLATES = "\n".join(pack(DEFAULT_PACK).templates)
FIELDS = {"names": "red, green", "templates": "{label}", "many": False, "source": "all"}


@pytest.fixture
def studio(tmp_path):
    for index, colour in enumerate(("red", "green", "blue")):
        photo(tmp_path / "photos" / f"{index}.png", colour, (30 + index, 20))
    encoder = FakeEncoder()
    with Library(tmp_path / "home", encoder) as library:
        library.add(tmp_path / "photos")
        yield Studio(library, lambda: encoder, "fake")


@pytest.fixture
def client(studio):
    with answering(studio) as client:
        yield client


@pytest.fixture
def sheet():
    """Names in place of the components, and a follower that says which job it was turned to."""
    jobs = SimpleNamespace(turn_to=lambda job: {"job": job and job.id}, progress="progress", parts=[])
    names = {name: name for name in ("session", "labels", "templates", "many", "source", "board", "run", "go")}
    return switcher.Sheet(**names, jobs=jobs)


def keep(client, session, names, expected):
    body = {"fields": {**FIELDS, "names": names}, "expected": expected}
    return client.post(f"/api/sessions/{session}", json=body).json()


def test_what_is_typed_is_kept_and_no_window_overwrites_another(client, studio):
    session = studio.library.sessions.start("pets").id
    assert keep(client, session, "red", 0)["session"]["edition"] == 1
    second = keep(client, session, "blue", 0)  # a window that has not seen "red"
    assert second["overtaken"]["state"]["names"] == "red"
    assert "another window" in second["words"]
    assert studio.library.sessions.get(session).state["names"] == "red"
    keep(client, session, "blue", None)  # it was asked, and insists
    assert client.get(f"/api/sessions/{session}").json()["state"]["names"] == "blue"


def test_where_someone_is_is_no_change_of_the_session(client, studio):
    session = studio.library.sessions.start().id
    client.post(f"/api/sessions/{session}/view", json={"tab": "library", "search": {"q": "dog", "folder": "3"}})
    told = client.get(f"/api/sessions/{session}").json()
    assert told["state"]["view"] == {"tab": "library", "search": {"q": "dog", "folder": "3"}}
    assert told["edition"] == 0
    assert {name: told["state"][name] for name in FIELDS} == {**FIELDS, "names": "", "templates": TEMPLATES}


def test_the_list_and_what_is_done_to_a_session(client, studio):
    session = studio.library.sessions.start("pets", FIELDS).id
    studio.library.sessions.start("empty")
    listed = client.get("/api/sessions").json()
    assert [(one["name"], one["classes"]) for one in listed] == [("empty", 0), ("pets", 2)]
    assert client.post(f"/api/sessions/{session}/name", json={"name": "zoo"}).json()["name"] == "zoo"
    taken = client.post(f"/api/sessions/{session}/name", json={"name": "empty"})
    assert (taken.status_code, "already" in taken.json()["error"]) == (400, True)
    assert client.post(f"/api/sessions/{session}/duplicate").json()["name"] == "zoo copy"
    client.post(f"/api/sessions/{session}/delete")
    assert client.get(f"/api/sessions/{session}").status_code == 404
    assert client.post(f"/api/sessions/{session}/restore").json()["name"] == "zoo"
    assert client.post(f"/api/sessions/{session}/burn").status_code == 422


def test_a_board_that_was_sorted_before_its_window_had_a_session_is_kept_for_it(client, studio):
    session = studio.library.sessions.start().id
    job = studio.jobs.submit("classify", wanted("red, green", "{label}"))
    run = studio.jobs.wait(job, 30).result["run"]
    assert studio.library.sessions.get(session).run is None
    assert client.post(f"/api/sessions/{session}/board", json={"run": run}).json()["run"] == run
    assert client.get(f"/api/sessions/{session}/pulse").json()["run"] == run
    assert client.post(f"/api/sessions/{session}/board", json={"run": "none"}).status_code == 404


def test_a_window_of_a_deleted_session_hears_of_it_and_makes_no_mistake(client, studio):
    session = studio.library.sessions.start("pets").id
    client.post(f"/api/sessions/{session}/delete")
    told = [
        client.get(f"/api/sessions/{session}/pulse"),
        client.post(f"/api/sessions/{session}", json={"fields": FIELDS}),
        client.post(f"/api/sessions/{session}/view", json={"tab": "library"}),
    ]
    assert [(one.status_code, one.json()) for one in told] == [(200, {"gone": True})] * 3


def test_a_sort_reaches_its_session_with_no_window_there(client, studio):
    session = studio.library.sessions.start().id
    job = studio.jobs.submit("classify", {**wanted("red, green", "{label}"), "session": session})
    result = studio.jobs.wait(job, 30).result
    assert studio.library.sessions.get(session).run == result["run"]
    pulse = client.get(f"/api/sessions/{session}/pulse").json()
    assert (pulse["run"], pulse["busy"]) == (result["run"], True)  # its own window may still be drawing it
    gone = studio.library.sessions.start().id
    studio.library.sessions.delete(gone)
    assert studio.jobs.wait(studio.jobs.submit("classify", {**wanted("red", "{label}"), "session": gone}), 30).result["run"]


def test_a_session_fills_the_page(studio, sheet):
    run = studio.library.runs.start(zero_shot_classifier(FakeEncoder(), ["red"]))
    session = studio.library.sessions.start("pets", {**FIELDS, "source": "folder:999", "later": "of a newer Sayso"})
    studio.library.sessions.show(session.id, run.id)
    job = studio.jobs.submit("classify", {"session": session.id})
    studio.jobs.submit("classify", {"session": session.id + 1})
    changes = switcher.put(studio, sheet, lambda job: True, switcher.chosen(studio, str(session.id)))
    assert (changes["labels"], changes["templates"], changes["many"]) == ("red, green", "{label}", False)
    assert changes["source"].value == "all"  # the folder has gone
    assert (changes["board"], changes["run"], changes["job"]) == (run.id, run.id, job)
    assert session_of(changes["session"]) == session.id
    again = switcher.put(studio, sheet, lambda job: True, session)
    assert again["session"] != changes["session"]  # the window notices


def test_a_load_goes_on_where_someone_was(studio):
    first = switcher.at_load(studio, "")
    assert first.name == "New session"
    second = switcher.at_load(studio, "new")
    assert switcher.at_load(studio, "").id == second.id
    assert switcher.at_load(studio, str(first.id)).id == first.id
    assert switcher.at_load(studio, "").id == first.id  # it is the last used now
    studio.library.sessions.delete(first.id)
    for asked in (str(first.id), "-1", "²", "x", "9" * 5000):
        assert switcher.at_load(studio, asked).id == second.id


def test_only_sessions_are_chosen(studio):
    with pytest.raises(BadInput, match="no session"):
        switcher.chosen(studio, "../1")
    with pytest.raises(NotFound):
        switcher.chosen(studio, "77")
    assert session_of("3:17") == 3
    assert {session_of(mark) for mark in (None, "", "x:1", "-3:1")} == {None}


def test_an_old_jobs_line_stays_out_of_another_session(studio):
    page = SimpleNamespace(jobs=SimpleNamespace(progress="progress"), board="board", run="run")
    job = studio.jobs.get(studio.jobs.submit("classify", {"session": 3}))
    job = replace(job, state="done", result={"run": "r"})
    assert tab.show_end(studio, page, job, True, "", "", False, "4:1") == {"progress": ""}
    shown = tab.show_end(studio, page, job, True, "", "", False, "3:1")
    assert (shown["board"], shown["run"]) == ("r", "r")
    assert belongs(job, "", "", False, "3:9")
    assert not belongs(job, "", "", False, "4:9")


@pytest.mark.parametrize(
    ("names", "templates", "many", "source", "sentence"),
    [
        ("red, green = lime", "{label}", False, "all", ""),
        (' "red"\ngreen=lime', "{label}", False, "all", ""),
        ("", "{label}", False, "all", ""),
        ("red, blue", "{label}", False, "all", staleness.NAMES),
        ("red, green", "{label}", False, "all", staleness.NAMES),  # the other name is gone
        ("green = lime, red", "{label}", False, "all", staleness.NAMES),  # another order, other keys
        ('red, "', "{label}", False, "all", staleness.NAMES),
        ("red, green = lime", "a {label}", False, "all", staleness.PROMPTS),
        ("red, green = lime", "no place", False, "all", staleness.PROMPTS),
        ("red, green = lime", "{label}", True, "all", staleness.MANY),
        ("red, green = lime", "{label}", False, "ids:1,2", staleness.IMAGES),
        ("red, green = lime", "{label}", False, "folder:1", staleness.IMAGES),
    ],
)
def test_what_the_board_does_not_show_yet_is_said(studio, names, templates, many, source, sentence):
    prompts = PromptSet(templates=("{label}",), synonyms={"green": ("lime",)})
    run = studio.library.runs.start(zero_shot_classifier(FakeEncoder(), ["red", "green"], prompts))
    assert staleness.staleness(studio, run.id, names, templates, many, source) == sentence
    assert staleness.staleness(studio, "", names, templates, many, source) == ""
    if sentence in ("", staleness.IMAGES):
        staleness.require_shown(studio, run.id, names, templates, many)
    else:
        with pytest.raises(BadInput, match="Choose Classify to sort again"):
            staleness.require_shown(studio, run.id, names, templates, many)


def test_old_names_are_not_saved_under_new_ones(studio, monkeypatch):
    monkeypatch.setattr(gr, "Info", lambda *said, **how: None)
    run = studio.library.runs.start(zero_shot_classifier(FakeEncoder(), ["red"], PromptSet(templates=("{label}",))))
    with pytest.raises(BadInput, match="still shows the old names"):
        versions.keep(studio, "mine", run.id, "blue", "{label}", False)
    assert studio.library.classifiers.all() == []
    versions.keep(studio, "mine", run.id, "red", "{label}", False)
    assert [record.name for record in studio.library.classifiers.all()] == ["mine"]


def test_an_empty_page_has_the_fields_of_no_state():
    assert Fields.of({}) == Fields("", TEMPLATES, False, "all")
