"""What `--json` prints: for each command the kinds of its rows, field by field. docs/commands.md shows it.

A field that is not in every row of a kind has a ? before its type; `*` stands for further fields of names that depend on the
data. Intervals are pairs, of 95 %.
"""

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, str]
TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "list": list,
    "object": dict,
    "null": type(None),
}

_HIT = {"path": "string", "rank": "number or null", "margin": "number or null", "matches": "boolean or null"}
_ESTIMATE = {"an estimate (--dry-run)": {"seconds": "integer", "images": "integer or null"}}
_PAIRED = {"gain": "number or null", "gain_interval": "list or null", "p": "number or null"}
_MADE = {"model": "string"}
_RECALL = {"captions": "integer", "text_to_image": "object", "image_to_text": "object", "intervals": "object"}

ROWS: Mapping[str, Mapping[str, Fields]] = {
    "add": {
        "counts": {
            "new": "integer",
            "known": "integer",
            "skipped": "integer",
            "in the library": "integer",
            **{"replaced": "? integer", "labelled": "? integer"},
        }
    },
    "search": {"a picture": {"cosine": "number", **_HIT}},
    "duplicates": {"a group": {"kind": "string", "paths": "list"}},
    "album": {
        "an album": {
            **{"name": "string", "words": "string", "classifier": "string or null", "label": "string or null"},
            "filters": "object",
        },
        "a picture (by words)": {"cosine": "number", **_HIT},
        "a picture (by a classifier)": {"share": "number", **_HIT},
    },
    "move-database": {"the move": {"to": "string", "rows": "object"}},
    "backup": {"the copy": {"path": "string", "bytes": "integer"}},
    "restore": {
        "a backup": {"path": "string", "made": "string", "why": "string", "bytes": "integer"},
        "what is there now": {
            **{"pictures": "integer", "labels": "integer", "classifiers": "integer", "albums": "integer"},
            **{"reports": "integer", "replaced": "string or null"},
        },
    },
    "doctor": {
        "a finding": {
            **{"check": "string", "found": "string", "count": "integer", "examples": "list", "remedy": "string"},
            **{"fixable": "boolean", "fixed": "boolean"},
        }
    },
    "classify": {
        "a picture": {
            **{"path": "string", "label": "string", "share": "number", "margin": "number", "top": "list"},
            **{"answer": "list", "verdict": "string", "likely right": "number", "why not": "string"},
            **{"names": "? list", "levels": "? list", "tiles": "? list"},
        },
        "a picture (several --labels)": {"path": "string", "sets": "object"},
    },
    "timeline": {
        "a span": {"from": "number", "to": "number", "answer": "string", "frames": "integer", "likely right": "number"}
    },
    "choose": {"a picture": {"path": "string", "place": "integer", "answer": "string or null"}},
    "label": {
        "a label": {"label": "string", "pictures": "integer"},
        "what was done": {"pictures": "? integer", "changed": "integer"},
        "a replaced picture (--replaced)": {"path": "string", "labels": "list"},
    },
    "tokens": {
        "a token": {
            **{"id": "integer", "name": "string", "scopes": "list", "expires": "string or null"},
            **{"last_used": "string or null", "person": "string or null"},
        },
        "a new token": {"id": "integer", "name": "string", "scopes": "list", "token": "string"},
    },
    "webhooks": {
        "a webhook": {"id": "integer", "url": "string", "events": "list", "last": "string", "waiting": "integer"},
        "a new webhook": {"id": "integer", "url": "string", "secret": "string"},
        "a test that arrived": {"id": "integer", "last": "string"},
    },
    "people": {
        "a person": {"name": "string", "role": "string", "disabled": "string or null"},
        "what was done": {"name": "string", "role": "string", "path": "? string"},
    },
    "agreement": {
        "two people, or all": {
            **{"kind": "string", "people": "list", "pictures": "integer", "same": "number"},
            **{"kappa": "number or null", "interval": "list or null"},
        },
        "a picture on which people differ (--open)": {"path": "string", "said": "object"},
        "what was decided (--decide)": {"path": "string", "answer": "string"},
    },
    "teach": {
        "the lesson": {
            **{"labels": "integer", "classes": "integer", "adopted": "boolean", "measure": "string", "kind": "string"},
            **{"before": "object", "after": "object", "calibration_error": "number or null"},
        }
    },
    "card": {"the card": {"classifier": "string", "path": "string"}},
    "import-labels": {
        "counts": {"pictures": "integer", "changed": "integer", "labels": "list", "unknown": "integer"},
    },
    "evaluate": {
        "accuracy": {
            **{"set": "string", "prompts": "string", "classes": "list", "kept": "integer", "n": "integer"},
            **{"top1": "number", "interval": "list", "top5": "number", "top5_interval": "list"},
            **{"mean_per_class_recall": "number", "recall_interval": "list", "recall": "object", "support": "object"},
            **{"reliability": "object", "coverage": "object", "confusion": "list", "mistakes": "list"},
            **{"notes": "list", "skipped": "integer"},
        },
        "a set of a suite (--suite)": {
            **{"set": "string", "called": "string", "n": "integer", "classes": "integer", "measure": "string"},
            **{"scores": "object", "intervals": "object", "chance": "number", "paper": "number or null", "advice": "string"},
        },
        "its mean (--suite)": {
            **{"means": "object", "mean_intervals": "object", "ranks": "object", "rank_intervals": "object"},
            **{"skipped": "list", "sentence": "string", "kept": "integer"},
        },
        "retrieval": {"set": "string", "prompts": "string", "n": "integer", **_RECALL, "skipped": "integer"},
    },
    "labels-worth": {
        "the curve": {
            **{"set": "string", "n": "integer", "classes": "integer", "zero_shot": "number", "interval": "list"},
            **{"rows": "list", "worth": "number or null", "supervised": "number", "supervised_interval": "list"},
            **{"sentence": "string", "kept": "integer"},
        }
    },
    "compare": {
        "the comparison": {
            **{"first": "string", "second": "string", "set": "string", "n": "integer", "accuracy": "list"},
            **{"intervals": "list", "difference": "number", "interval": "list", "p": "number", "gained": "list"},
            **{"lost": "list", "moved": "list", "sentence": "string", "notes": "list"},
        }
    },
    "side-by-side": {
        "a model": {
            **{"set": "string", "name": "string", "n": "integer", "accuracy": "number", "interval": "list"},
            **{"per_second": "number", "gflops": "number", "megabytes": "number", "memory": "number or null"},
            "device": "string",
        }
    },
    "advise": {
        "a piece of advice": {"kind": "string", "labels": "list", "advice": "string", "suggestions": "list"},
        "the nearest pictures (--nearest)": {"kind": "string", "label": "string", "paths": "list"},
    },
    "tasks": {
        "a task": {
            **{"task": "string", "about": "string", "limit": "string", "instead": "string", "sets": "list"},
            **{"prompts": "? list", "labels": "? object"},
        }
    },
    "prompts": {
        "a prompt set": {
            **{"set": "string", "n": "integer", "classes": "integer", "name": "string", "templates": "integer"},
            **{"changed": "number", "accuracy": "number or null", "interval": "list or null", **_PAIRED},
        },
        "how many labels hang on the wording": {"set": "string", "flips": "number", "sentence": "string"},
        "the templates chosen (--select)": {
            **{"set": "string", "n": "integer", "templates": "list", "accuracy": "number", "interval": "list"},
            **{"baseline_name": "string", "baseline": "number", **_PAIRED, "stability": "list", "folds": "integer"},
            **{"better": "boolean", "sentence": "string"},
        },
    },
    "robustness": {
        "the sheet": {
            **{"n": "integer", "labelled": "integer", "accuracy": "number or null", "interval": "list or null"},
            **{
                "curves": "object",
                "skipped": "list",
                "means": "object",
                "corrupted": "number or null",
                "sentence": "string",
            },
        },
        "a model on both sets (--shifted)": {
            **{"name": "string", "n": "integer", "accuracy": "number", "interval": "list", "shifted_n": "integer"},
            **{"shifted": "number", "shifted_interval": "list"},
        },
        "effective robustness (--against)": {
            **{"model": "object", "others": "list", "slope": "number", "intercept": "number", "expected": "number"},
            **{"value": "number", "interval": "list", "sentence": "string"},
        },
    },
    "captions": {
        "a picture": {"path": "string", "best": "string", "shares": "object"},
        "a score (--images)": {
            **{"set": "string", "score": "string", "n": "integer", "share": "number", "interval": "list"},
            **{"chance": "number", "cut": "integer"},
        },
    },
    "bias": {
        "a table": {
            **{"by": "list", "label_set": "string", "rows": "list", "groups": "list", "reference": "string or null"},
            **{"counts": "list", "overall": "object", "share": "list", "low": "list", "high": "list"},
            **{"difference": "list", "difference_low": "list", "difference_high": "list"},
            **{"p": "list", "holm": "list", "bh": "list", "spread": "list"},
        },
        "what moves (--add)": {
            **{"what_if": "string", "label_set": "string", "after": "object", "typed": "string", "rows": "list"},
            **{"groups": "list", "was": "object", "now": "object", "p": "list", "n": "integer", "moved": "integer"},
            "pairs": "list",
        },
    },
    "models": {
        "a model": {
            **{"name": "string", "about": "string", "megabytes": "integer or null", "imagenet": "number or null"},
            **{"here": "boolean", "image_size": "integer or null", "gflops": "number or null", "languages": "string"},
            **{"licence": "string", "speed": "number or null", "pareto": "boolean", "memory": "integer or null"},
            **{"page": "string", "restricted": "boolean", "source": "string"},
        },
        "a fetched model (--get)": {"name": "string", "here": "boolean"},
        "a check (--self-test)": {"name": "string", "verdict": "string", "sentence": "string"},
        "its speed (--speed)": {"name": "string", "images_per_second": "number", "device": "string"},
        "a removed model (--remove)": {"name": "string", "freed_megabytes": "integer"},
    },
    "finetune": {
        "a mixture, and for each set [accuracy, low, high, n]": {"mixture": "number", "*": "list"},
        "another mixture (--remix)": {**_MADE, "mixture": "number"},
        **_ESTIMATE,
    },
    "pretrain": {"a step": {"step": "integer", "*": "number"}, "the model": _MADE, **_ESTIMATE},
}


def kind_of_row(command: str, row: Mapping[str, Any]) -> str | None:
    """Which of the command's kinds this row is; None if it is none of them, field by field."""
    for kind, fields in ROWS.get(command, {}).items():
        known = {name: fields.get(name, fields.get("*")) for name in row}
        needed = {name for name, types in fields.items() if name != "*" and not types.startswith("?")}
        if needed <= row.keys() and all(types and _is(row[name], types) for name, types in known.items()):
            return kind
    return None


def _is(value: Any, types: str) -> bool:
    names = types.removeprefix("? ").split(" or ")
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)  # type: ignore[arg-type]
