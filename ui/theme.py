"""How the page looks: one accent colour, system fonts, light and dark. Contrast was checked with axe in both.

The frame of the page, where what stands, is in `static/shared/frame.css`.
"""

from pathlib import Path

import gradio as gr

# System fonts only: Gradio's bundled ones are subsets, and a web font would call an outside host.
SANS = ["Inter", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
MONO = ["ui-monospace", "Consolas", "monospace"]

THEME = gr.themes.Base(
    primary_hue="indigo",
    secondary_hue="indigo",
    neutral_hue="slate",
    radius_size="md",
    spacing_size="sm",
    text_size="sm",
    font=SANS,
    font_mono=MONO,
).set(
    body_background_fill="#f3f4f7",
    body_background_fill_dark="#0c0f14",
    body_text_color="#111827",
    body_text_color_dark="#e9edf3",
    body_text_color_subdued="#4b5567",
    body_text_color_subdued_dark="#a9b3c2",
    background_fill_primary="#ffffff",
    background_fill_primary_dark="#141921",
    background_fill_secondary="#eceef2",
    background_fill_secondary_dark="#0f131a",
    block_background_fill="#ffffff",
    block_background_fill_dark="#141921",
    border_color_primary="#dde1e8",
    border_color_primary_dark="#272f3b",
    input_background_fill="#ffffff",
    input_background_fill_dark="#1c232d",
    input_border_width="1px",
    input_border_width_dark="1px",
    button_border_width="1px",
    button_border_width_dark="1px",
    button_primary_border_color="transparent",
    button_primary_border_color_dark="transparent",
    input_border_color="#7b8597",
    input_border_color_dark="#728096",
    block_border_width="1px",
    block_shadow="0 1px 2px rgb(0 0 0 / .05)",
    block_label_text_color="*neutral_600",
    block_label_text_color_dark="*neutral_300",
    block_info_text_color="*neutral_600",
    block_info_text_color_dark="*neutral_400",
    input_placeholder_color="*neutral_500",
    input_placeholder_color_dark="*neutral_400",
    link_text_color="*primary_600",
    link_text_color_dark="*primary_300",
    button_secondary_background_fill="#ffffff",
    button_secondary_background_fill_dark="#1c232d",
    button_secondary_border_color="#7b8597",
    button_secondary_border_color_dark="#728096",
    button_large_text_size="*text_md",
    button_large_text_weight="500",
    button_large_padding="6px 14px",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_text_color="white",
    button_primary_text_color_dark="white",
    button_cancel_background_fill="#b91c1c",
    button_cancel_background_fill_dark="#b91c1c",
    button_cancel_background_fill_hover="#991b1b",
    button_cancel_background_fill_hover_dark="#991b1b",
    button_cancel_text_color="white",
    button_cancel_text_color_dark="white",
)

FRAME = (Path(__file__).with_name("static") / "shared" / "frame.css").read_text(encoding="utf-8")
CSS = (
    FRAME
    + """
:root { --accent-ink: #4338ca; --tint: #eceafd; }
.dark { --accent-ink: #b4b9ff; --tint: #262a52; }
.subtle { color: var(--body-text-color-subdued); margin: 2px 0 0; }
/* Gradio insets every piece of HTML; ours lines up with the fields above and below it. */
.html-container { padding: 0 !important; }
#stale:not(:has(*[role])),
#classify-progress:not(:has(*[role])), #library-progress:not(:has(*[role])), #models-progress:not(:has(*[role])),
#training-progress:not(:has(*[role])), #model-result:not(:has(*[role])), #training-result:not(:has(*[role])),
#export-progress:not(:has(*[role])), #rebuilt:not(:has(*[role])), .job-progress:not(:has(*[role])) { display: none; }
.bar { align-items: flex-end; }
.bar .wrap-inner { padding-block: 8px !important; } /* a list is as high as a field of text beside it */
.bar > button { margin-bottom: 12px; height: 40px; white-space: nowrap; }
.go > button { white-space: nowrap; }
.dark input.subdued { color: var(--neutral-300); } /* nothing chosen yet: its own grey is too faint on a field */
:focus-visible { outline: 2px solid var(--accent-ink) !important; outline-offset: 2px; }
#tabs .tab-container button:focus-visible { outline-offset: -3px; }
.progress { padding: 10px 14px; border: 1px solid var(--border-color-primary); border-radius: 10px;
  background: var(--block-background-fill); color: var(--body-text-color); }
.progress p { margin: 0 0 6px; display: flex; justify-content: space-between; gap: 12px; flex-wrap: wrap; }
.progress progress { appearance: none; display: block; width: 100%; height: 8px; border: 0; border-radius: 4px;
  overflow: hidden; background: var(--border-color-primary); }
.progress progress::-webkit-progress-bar { background: var(--border-color-primary); }
.progress progress::-webkit-progress-value { background: var(--primary-500); }
.progress progress::-moz-progress-bar { background: var(--primary-500); }
.progress progress:indeterminate { background: repeating-linear-gradient(90deg, var(--primary-500) 0 24px,
  var(--border-color-primary) 24px 48px); animation: sayso-slide 1s linear infinite; }
.progress progress:indeterminate::-webkit-progress-bar { background: none; }
@keyframes sayso-slide { to { background-position-x: 48px; } }
.said { padding: 6px 2px; color: var(--body-text-color-subdued); }
.said.problem { color: #b91c1c; }
.dark .said.problem { color: #fca5a5; }
.skipped { margin: 0; padding: 0; list-style: none; font-size: .9rem; }
.skipped li { padding: 6px 0; border-bottom: 1px solid var(--border-color-primary); overflow-wrap: anywhere; }
.skipped b { font-weight: 600; }
#status [data-testid=status-tracker] { display: none; } /* the place of all progress that nobody is to see */
#export-plan summary, #import-news summary { cursor: pointer; }
.scroll { overflow-x: auto; max-width: 100%; }
table.facts { border-collapse: collapse; border: 0 !important; width: 100%;
  font-size: .875rem; font-variant-numeric: tabular-nums; }
.facts th, .facts td { text-align: left; padding: 6px 10px; border: solid var(--border-color-primary) !important;
  border-width: 0 0 1px !important;
  white-space: nowrap; vertical-align: top; color: var(--body-text-color); }
#tabs .facts :is(th, td) { border-color: var(--border-color-primary) !important; } /* Gradio's own is as strong, and dark */
.facts thead th { font-weight: 500; color: var(--body-text-color-subdued); }
.facts tr, .facts thead, .facts tbody { border: 0 !important; }
.facts tbody th { font-weight: 600; white-space: normal; overflow-wrap: anywhere; min-width: 210px; max-width: 290px; }
.facts.mixtures tbody th { min-width: 0; } /* a number, beside which the rest fits on a phone */
#tabs .facts td a { padding: 2px 0; } /* Gradio pads links, which would set them off from the words above */
#trainings .words { white-space: normal; }
#trainings td button + button { margin-left: 6px; }
:is(#models-table, #trainings) td button { padding: 2px 10px; min-height: 26px; font-size: 12px; border-radius: 7px;
  border: 1px solid var(--input-border-color); background: var(--button-secondary-background-fill);
  color: var(--body-text-color); }
#models-table .acts { display: flex; flex-wrap: wrap; gap: 2px 12px; }
#models-table .acts button { padding: 0; min-height: 24px; border: 0; background: none; color: var(--link-text-color);
  text-decoration: underline; font-weight: 400; }
/* the last column, the licence, shall be in sight at 1280 px */
#models-table .facts :is(th, td) { padding-inline: 6px; }
#models-table .facts td:last-child { white-space: normal; min-width: 96px; }
#models-table .facts td small { min-width: 0; }
.facts .whole { white-space: nowrap; }
.facts small { display: block; font-weight: 400; white-space: normal; min-width: 180px;
  color: var(--body-text-color-subdued); }
.facts tr.current { background: color-mix(in srgb, var(--primary-500) 12%, transparent); }
.facts.checks td:last-child { white-space: normal; overflow-wrap: anywhere; }
.facts .failed { color: #b91c1c; font-weight: 600; }
.dark .facts .failed { color: #fca5a5; }
.badge { display: inline-block; white-space: nowrap; }
.badge { font-size: .75rem; font-weight: 500; padding: 1px 7px; border-radius: 9px; border: 1px solid var(--primary-500); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 14px;
  margin-bottom: 10px; }
.curves { margin: 0; border: 1px solid var(--border-color-primary); border-radius: 12px; padding: 10px 12px;
  background: var(--block-background-fill); color: var(--body-text-color); min-width: 0; }
.curves figcaption { font-size: .875rem; font-weight: 600; }
.curves > svg { display: block; width: 100%; height: auto; }
.curves text { font-size: 11px; fill: var(--body-text-color-subdued); }
.curves .grid { stroke: var(--border-color-primary); }
.curves .mark { stroke: var(--body-text-color); stroke-width: 1.5; stroke-dasharray: 2 3; }
.curves .key { display: flex; gap: 14px; flex-wrap: wrap; font-size: .8rem; }
.curves .key span { display: inline-flex; gap: 6px; align-items: center; overflow-wrap: anywhere; }
.curves .key svg { width: 20px; height: 8px; }
/* What plots are drawn in; see clipcore/measure/plots.py. */
.dark { --plot-first: #a5b4fc; --plot-second: #fbbf24; --plot-muted: #9ca3af; --plot-lines: #374151; }
.dark sayso-report, .dark sayso-bias { --cell: 99 102 241; --miss: 217 119 6; }
@media (max-width: 700px) { .bar > button { margin-bottom: 0; }
  .facts.checks tr { display: grid; grid-template-columns: 1fr auto; }
  #tabs .facts.checks :is(th, td) { min-width: 0; max-width: none; border: 0 !important; }
  .facts.checks td:last-child { grid-column: 1 / -1; padding-top: 0; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
"""
)
