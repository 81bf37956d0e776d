"""The Classify tab: names and prompts in, a board with a column per class out."""

from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from clipcore import PACKS, BadInput, SaysoError, pack, parse_labels, parse_templates
from clipcore.prompts import DEFAULT_PACK
from storage import JobRecord

from .choices import ALL, OWN, pack_of, saved, selection, sources, wanted
from .progress import friendly, progress_html, said, stopwatch
from .samples import LABELS as SAMPLE_LABELS
from .studio import Studio

KINDS = ("classify", "drop")  # the jobs that this tab starts and follows; also an "add" that names labels
QUICK = 1.5  # seconds a click waits for its job, so that small work never shows a progress bar

# What a handler may change on the page. A handler returns a dictionary from these to new values.
Changes = dict[Any, Any]


class Parts:
    """The components of this tab that handlers change, by name."""

    labels: gr.Textbox
    pack: gr.Dropdown
    templates: gr.Textbox
    preview: gr.HTML
    source: gr.Dropdown
    go: gr.Button
    stop: gr.Button
    progress: gr.HTML
    board: gr.HTML
    run: gr.State
    job: gr.State
    name: gr.Textbox
    saved: gr.Dropdown
    timer: gr.Timer


def build(studio: Studio, page: gr.Blocks, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    at = Parts()
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            at.labels = gr.Textbox(
                label="Class names",
                placeholder="cat, dog, rabbit",
                info="With commas or line breaks between them. dog = puppy | hound gives a class other names.",
                lines=2,
                max_lines=8,
                elem_id="labels",
            )
            with gr.Accordion("Prompts", open=False):
                at.pack = gr.Dropdown(
                    [(f"{name}: {about}", name) for name, about in PACKS.items()] + [(OWN, OWN)],
                    value=DEFAULT_PACK,
                    label="Prompt pack",
                    filterable=False,
                )
                at.templates = gr.Textbox(
                    "\n".join(pack(DEFAULT_PACK).templates),
                    label="Templates",
                    info="One a line; {label} stands for the class name. They are averaged into one vector per class.",
                    lines=4,
                    max_lines=12,
                )
                at.preview = gr.HTML(describe_prompts("", "\n".join(pack(DEFAULT_PACK).templates))[1])
        with gr.Column(scale=2, min_width=300):
            at.source = gr.Dropdown(
                sources(studio),
                value=ALL,
                label="Images",
                info="A folder of the library, or drop files below.",
                filterable=False,
            )
            drop = gr.File(
                label="Drop images", file_count="multiple", height=126, elem_id="drop", type="filepath", show_label=False
            )
    with gr.Row(elem_classes="go"):
        at.go = gr.Button("Classify", variant="primary", scale=0, min_width=160, elem_id="go")
        sample = gr.Button("Try the sample photos", scale=0, min_width=220)
        at.stop = gr.Button("Stop", variant="stop", scale=0, min_width=110, visible=False)
    at.progress = gr.HTML("", elem_id="classify-progress")
    at.board = gr.HTML(
        "",
        html_template='<sayso-board run="{{value}}"></sayso-board>',
        apply_default_css=False,
        elem_id="board",
        js_on_load=None,
    )
    with gr.Row(elem_classes="bar"):
        at.name = gr.Textbox(label="Save this classifier as", placeholder="pets", max_length=120, min_width=180)
        save = gr.Button("Save", scale=0, min_width=110)
        at.saved = gr.Dropdown(saved(studio), value=None, label="Saved classifiers", min_width=180, filterable=True)
        reuse = gr.Button("Use on these images", scale=0, min_width=190)
    at.run, at.job = gr.State(""), gr.State(0)
    at.timer = gr.Timer(0.5, active=False)

    outputs = [value for value in vars(at).values() if value is not at.preview]
    choices = [at.labels, at.templates, at.source]
    quiet: dict[str, Any] = {"show_progress": "hidden"}

    def on(handler: Any) -> Any:
        return friendly(partial(handler, studio, at))

    at.go.click(on(classify), choices, outputs, api_name="classify", **quiet)
    at.labels.submit(on(classify), choices, outputs, api_visibility="private", **quiet)
    sample.click(on(classify_samples), [at.labels], outputs, api_visibility="private", **quiet)
    drop.upload(on(take_files), drop, outputs, api_visibility="private", **quiet).then(lambda: None, None, drop, **quiet)
    at.stop.click(on(stop), at.job, outputs, api_visibility="private", **quiet)
    at.timer.tick(on(follow), [at.job, *choices], outputs, api_visibility="private", **quiet)
    at.pack.input(on(choose_pack), at.pack, at.templates, api_visibility="private", **quiet)
    # one listener for both, and the last state wins: two answers that overtake each other would leave a wrong one
    gr.on(
        [at.labels.change, at.templates.change],
        describe_prompts,
        [at.labels, at.templates],
        [at.pack, at.preview],
        trigger_mode="always_last",
        api_visibility="private",
        **quiet,
    )
    save.click(on(save_classifier), [at.name, at.run], outputs, api_visibility="private", **quiet)
    at.name.submit(on(save_classifier), [at.name, at.run], outputs, api_visibility="private", **quiet)
    reuse.click(on(use_saved), [at.saved, at.source], outputs, api_visibility="private", **quiet)
    # another tab, or another window, may have added folders meanwhile
    tab.select(lambda: gr.Dropdown(sources(studio)), None, at.source, api_visibility="private", **quiet)
    page.load(on(rejoin), None, outputs, api_visibility="private", **quiet)


# handlers


def classify(studio: Studio, at: Parts, typed: str, templates: str, source: str) -> Changes:
    """Check what was typed, then start the job; most are over before this returns."""
    return _start(studio, at, {**wanted(typed, templates), **selection(studio, source)})


def classify_samples(studio: Studio, at: Parts, typed: str) -> Changes:
    """Put the sample photos into the library; `follow` classifies them when they are in."""
    labels = (typed or "").strip() or SAMPLE_LABELS
    job = studio.jobs.submit("add", {"samples": True, "name": "Sample photos", "labels": labels})
    return {**_follow_job(studio, at, job), at.labels: labels}


def take_files(studio: Studio, at: Parts, files: list[str] | None) -> Changes:
    """Keep dropped files in the home folder; they are embedded by a job and classified when they are in."""
    return _follow_job(studio, at, studio.jobs.submit("drop", {"files": studio.keep(files or [])}))


def follow(studio: Studio, at: Parts, job_id: int, typed: str, templates: str, source: str) -> Changes:
    """Draw the job's progress; when it is over, show what came of it or go on to classify what came in."""
    if not job_id:
        return {at.timer: gr.Timer(active=False)}
    job = studio.jobs.get(job_id)
    if not job.over:
        return {at.progress: progress_html(job)}
    if job.state != "done" or job.kind == "classify":
        return _show_end(studio, at, job)
    return _sort_what_came_in(studio, at, job, typed, templates)


def _sort_what_came_in(studio: Studio, at: Parts, job: JobRecord, typed: str, templates: str) -> Changes:
    """A drop or the samples are in: choose them as the images and, if there are names, sort them at once."""
    result = job.result or {}
    choices = sources(studio)
    if job.kind == "drop":
        ids = result["image_ids"]
        if not ids:
            return {**_idle(at), at.progress: said(_none_readable(result["skipped"]), problem=True)}
        source = "ids:" + ",".join(map(str, ids))
        choices.append((f"The {len(ids)} just dropped", source))
    else:
        source = f"folder:{result['folder_id']}"
        typed = typed or result.get("labels") or ""
    chosen = {at.source: gr.Dropdown(choices, value=source)}
    if not (typed or "").strip():
        return {**_idle(at), **chosen, at.progress: said("The images are in. Type class names, then choose Classify.")}
    try:
        payload = wanted(typed, templates)
    except SaysoError as error:  # this runs on a clock: said once in place, not as a toast at every tick
        return {**_idle(at), **chosen, at.progress: said(str(error), problem=True)}
    return {**_start(studio, at, {**payload, "skipped": result["skipped"], **selection(studio, source)}), **chosen}


def stop(studio: Studio, at: Parts, job_id: int) -> Changes:
    """Ask the job to end at its next step; what it has done so far is kept."""
    if job_id:
        studio.jobs.cancel(job_id)
        studio.jobs.wait(job_id, 3)
    return {**_idle(at), at.progress: said("Stopped. What was done so far is kept.")}


def rejoin(studio: Studio, at: Parts) -> Changes:
    """On load: fresh choices, and any job still at work, started here or in another window."""
    fresh: Changes = {at.source: gr.Dropdown(sources(studio), value=ALL), at.saved: gr.Dropdown(saved(studio))}
    active = [job for job in studio.jobs.active() if job.kind in KINDS or job.payload.get("labels")]
    return {**fresh, **_follow_job(studio, at, active[-1].id, wait=0)} if active else fresh


def describe_prompts(typed: str, templates: str) -> tuple[str, str]:
    """The pack that the templates are, and what the text tower will read for the first class or what is wrong."""
    try:
        labels, synonyms = parse_labels(typed or "cat")
        prompts = parse_templates(templates).with_synonyms(synonyms)
    except SaysoError as error:
        return OWN, said(str(error), problem=True)
    texts = prompts.texts(labels[0])
    more = f" and {len(texts) - 2} more" if len(texts) > 2 else ""
    return pack_of(prompts), said("Reads as: " + " / ".join(texts[:2]) + more)


def choose_pack(studio: Studio, at: Parts, name: str) -> Any:
    """Show a pack's templates, to be used or changed; one's own stay as they are."""
    return gr.skip() if name == OWN else "\n".join(pack(name).templates)


def save_classifier(studio: Studio, at: Parts, name: str, run_id: str) -> Changes:
    """Keep the classifier of the board under a name; the same name again makes a new version."""
    if not run_id:
        raise BadInput("There is nothing to save yet; classify some images first.")
    record = studio.library.save(studio.library.run(run_id).classifier, name)
    version = f", version {record.version}" if record.version > 1 else ""
    gr.Info(f"Saved as {record.name}{version}.", duration=4)
    return {at.saved: gr.Dropdown(saved(studio), value=record.name), at.name: ""}


def use_saved(studio: Studio, at: Parts, name: str | None, source: str) -> Changes:
    """Put a saved classifier's names and prompts back on the page and sort the chosen images with them."""
    if not name:
        raise BadInput("Choose a saved classifier first.")
    classifier = studio.library.classifier(name)
    prompts = classifier.prompts
    typed = [
        " = ".join([label, " | ".join(prompts.synonyms.get(label, ()))]).removesuffix(" = ") for label in classifier.labels
    ]
    return {
        **_start(studio, at, {"classifier": name, **selection(studio, source)}),
        at.labels: ("\n" if prompts.synonyms else ", ").join(typed),
        at.templates: "\n".join(prompts.templates),
    }


# what the handlers share


def _start(studio: Studio, at: Parts, payload: dict[str, Any]) -> Changes:
    return _follow_job(studio, at, studio.jobs.submit("classify", payload))


def _follow_job(studio: Studio, at: Parts, job_id: int, wait: float = QUICK) -> Changes:
    job = studio.jobs.wait(job_id, wait)
    if job.over and job.kind == "classify":
        return {**_show_end(studio, at, job), at.job: job_id}
    return {
        at.job: job_id,
        at.progress: progress_html(job),
        at.timer: gr.Timer(0.5, active=True),
        at.stop: gr.Button(visible=True),
        at.go: gr.Button(interactive=False),
    }


def _idle(at: Parts) -> Changes:
    return {
        at.job: 0,
        at.timer: gr.Timer(active=False),
        at.stop: gr.Button(visible=False),
        at.go: gr.Button(interactive=True),
    }


def _show_end(studio: Studio, at: Parts, job: JobRecord) -> Changes:
    if job.state == "failed":
        return {**_idle(at), at.progress: said(job.error or "That did not work.", problem=True)}
    if job.state == "cancelled":
        return {**_idle(at), at.progress: said("Stopped. What was done so far is kept.")}
    run = (job.result or {}).get("run", "")
    return {**_idle(at), at.progress: said(f"Sorted in {stopwatch(job)}."), at.board: run, at.run: run}


def _none_readable(skipped: list[Any]) -> str:
    reasons = "; ".join(f"{Path(path).name}: {reason}" for path, reason in skipped[:3])
    return f"None of the {len(skipped)} files could be read. {reasons}"
