"""Prompts, spoilt pictures, shifted sets and captions as one HTML file each; of what it is made, see `page.py`.

Each takes a result as plain values, as it is kept, so that a page can be made again at any time.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from .bench_plots import curve_plot, prompts_plot, robustness_plot, shift_plot, suite_plot
from .intervals import points
from .page import between, figures, numbers, page, plain_table

About = Mapping[str, str]


def prompts_html(result: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """`PromptReport.to_json`, and under "chosen" a `Selection.to_json` or None."""
    head = ["prompts", "sentences", "labels that change"]
    if result["labelled"]:
        head += ["accuracy", "95 % interval", "gain in points", "p"]

    def row(arm: Mapping[str, Any]) -> list[object]:
        cells: list[object] = [arm["name"], arm["templates"], points(arm["changed"])]
        if result["labelled"]:
            cells += [points(arm["accuracy"]), between(arm["interval"]), gained(arm), f"{arm['p']:.2g}"]
        return cells

    sections = [
        f"<p><strong>{escape(result['sentence'])}</strong></p>",
        figures([prompts_plot(result)]),
        "<h2>Prompt sets</h2>",
        plain_table(head, map(row, result["arms"])),
    ]
    if chosen := result.get("chosen"):
        stable = zip(chosen["templates"], chosen["stability"], strict=True)
        sections += [
            f"<h2>Chosen templates</h2><p>{escape(chosen['sentence'])}</p>",
            plain_table(
                ("template", "also chosen in"), ((template, f"{n} of {chosen['folds']} folds") for template, n in stable)
            ),
        ]
    return page(title, {**about, "Images": f"{result['n']:,} of {result['classes']:,} classes"}, notes, sections)


def gained(arm: Mapping[str, Any]) -> str:
    """The gain of a prompt set, or of chosen templates, in points."""
    low, high = arm["gain_interval"]
    return f"{100 * arm['gain']:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"


def robustness_html(sheet: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """`Sheet.to_json`."""
    labelled = sheet["accuracy"] is not None
    value, ends = ("accuracy", "interval") if labelled else ("agreement", "agreement_interval")
    head = ("spoilt by", *(f"strength {point['strength']}" for point in next(iter(sheet["curves"].values()))))
    rows = [
        (name, *(f"{points(point[value])} ({between(point[ends])})" for point in curve))
        for name, curve in sheet["curves"].items()
    ]
    sections = [
        f"<p><strong>{escape(sheet['sentence'])}</strong></p>",
        *([numbers(("Clean pictures", sheet["accuracy"], sheet["interval"]))] if labelled else []),
        figures([robustness_plot(sheet)]),
        f"<h2>{value.capitalize()} by corruption and strength</h2>",
        plain_table(head, rows),
    ]
    if believed := [(name, curve) for name, curve in sheet["curves"].items() if curve[0]["believed"] is not None]:
        told = ((name, *(points(point["believed"]) for point in curve)) for name, curve in believed)
        sections += ["<h2>How often the pasted word is believed</h2>", plain_table(head, told)]
    return page(title, {**about, "Images": f"{sheet['n']:,}, {sheet['labelled']:,} with a label"}, notes, sections)


def shift_html(result: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """{"models": `Shift.to_json` of each, "effective": `EffectiveRobustness.to_json` or None, "sentence"}."""
    head = ("model", "first set", "95 % interval", "shifted set", "95 % interval", "lost")
    rows = (
        (
            one["name"],
            points(one["accuracy"]),
            between(one["interval"]),
            points(one["shifted"]),
            between(one["shifted_interval"]),
            f"{100 * (one['accuracy'] - one['shifted']):.1f} points",
        )
        for one in result["models"]
    )
    sections = [
        f"<p><strong>{escape(result['sentence'])}</strong></p>",
        figures([shift_plot(result)]),
        plain_table(head, rows),
    ]
    first = result["models"][0]
    return page(title, {**about, "Images": f"{first['n']:,} and {first['shifted_n']:,}"}, notes, sections)


def composition_html(result: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """`CompositionReport.to_json`."""
    rows = (
        (name, points(score["share"]), between(score["interval"]), points(score["chance"]), score["n"])
        for name, score in result["scores"].items()
    )
    sections = [
        plain_table(("score", "right", "95 % interval", "guessing", "items"), rows),
        f"<h2>Items that failed: {len(result['wrong']):,}</h2><p>{escape(', '.join(result['wrong'][:500]))}</p>",
    ]
    return page(title, about, notes, sections)


def curve_html(result: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """`Curve.to_json` of `training.heads.curve`."""
    rows: list[Sequence[object]] = [
        ("none: zero-shot", f"{points(result['zero_shot'])} ({between(result['interval'])})", "")
    ]
    rows += [
        (
            f"all ({row['shots']:.3g})" if row["everything"] else row["shots"],
            f"{points(row['probe'])} ({between(row['interval'])})",
            f"{points(row['taught'])} ({between(row['taught_interval'])})",
        )
        for row in result["rows"]
    ]
    sections = [
        f"<p><strong>{escape(result['sentence'])}</strong></p>",
        figures([curve_plot(result)]),
        plain_table(("labels of each class", "probe (95 % interval)", "taught head (95 % interval)"), rows),
    ]
    return page(title, {**about, "Images": f"{result['n']:,} of {result['classes']:,} classes"}, notes, sections)


def suite_html(result: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """`Suite.to_json`."""
    arms = list(result["means"])
    head = ("set", "images", "classes", *arms, "guessing", "the paper's largest CLIP", "measured")
    rows = [
        (
            one["called"] or one["name"],
            one["n"],
            one["classes"],
            *(f"{points(one['scores'][arm])} ({between(one['intervals'][arm])})" for arm in arms),
            points(1 / one["classes"]),
            points(one["paper"]) if one["paper"] else "",
            one["measure"],
        )
        for one in result["sets"]
    ]
    means = [f"{points(result['means'][arm])} ({between(result['mean_intervals'][arm])})" for arm in arms]
    ranks = [
        f"{result['ranks'][arm]:.2f} ({' to '.join(f'{end:.2f}' for end in result['rank_intervals'][arm])})" for arm in arms
    ]
    rows.append(("mean", "", "", *means, "", "", ""))
    rows += [("mean rank", "", "", *ranks, "", "", "")] if len(arms) > 1 else []
    known = dict.fromkeys(one["advice"] for one in result["sets"] if one["advice"])
    sections = [
        f"<p><strong>{escape(result['sentence'])}</strong></p>",
        figures([suite_plot(result)]),
        plain_table(head, rows),
        *(
            [f"<h2>What the paper says of such sets</h2><ul>{''.join(f'<li>{escape(a)}</li>' for a in known)}</ul>"]
            if known
            else []
        ),
    ]
    return page(title, about, [*notes, *result["skipped"]], sections)


def recall_html(result: Mapping[str, Any], title: str, about: About, notes: Sequence[str] = ()) -> str:
    """`RetrievalReport.to_json`."""
    ways = (("words to picture", "text_to_image"), ("picture to words", "image_to_text"))
    rows = (
        (words, f"among {k}", points(share), between(result["intervals"][way][k]))
        for words, way in ways
        for k, share in result[way].items()
    )
    counted = {**about, "Images": f"{result['n']:,}", "Captions": f"{result['captions']:,}"}
    return page(title, counted, notes, [plain_table(("way", "found", "recall", "95 % interval"), rows)])
