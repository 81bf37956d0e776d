"""Every architecture that open_clip knows, with random weights, through our own code: python -m benchmarks towers.

Each is described without memory (on torch's device meta): millions of weights, billions of operations for a picture. Then,
in a process of its own, one at a time and the smallest first, weights are drawn and written as a checkpoint file, loaded as
any model is, and a picture and a text become vectors, which are held against open_clip's own. What needs more memory than
there is or --memory allows, or more weights than --most, is left out and said. Nothing is downloaded: a tokenizer that is
not here is said. It takes an hour or more: with --kept FILE outcomes are written there, and a later run goes on from it.

--profile writes the columns of clipcore/models/architectures.csv and loads nothing.
"""

import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import open_clip
import torch
import typer
from open_clip.model import _build_text_tower, _build_vision_tower
from torch.utils.flop_counter import FlopCounterMode

SECONDS = 900  # for one architecture
NEEDED = 3.5  # times the weights: built, read and folded at once
CLOSE = 0.999  # cosine between our vectors and open_clip's
HUB = ("offline", "hub", "huggingface.co", "couldn't connect", "no such file", "local_files_only", "cached")


def profile(name: str) -> tuple[float | None, float]:
    """Millions of weights (None where the text tower is described on the hub only) and billions of operations a picture."""
    config = open_clip.get_model_config(name)
    quick = bool(config.get("quick_gelu"))
    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        visual = _build_vision_tower(config["embed_dim"], config["vision_cfg"], quick).eval().requires_grad_(False)
        size = config["vision_cfg"].get("image_size", 224)
        height, width = (size, size) if isinstance(size, int) else size
        torch.backends.mha.set_fastpath_enabled(False)  # the counter does not know the fused attention
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            visual(torch.empty(1, 3, height, width))
        weights: float | None = sum(weight.numel() for weight in visual.parameters()) / 1e6
        try:
            if "hf_model_name" in config["text_cfg"]:
                raise OSError("described on the hub")
            text = _build_text_tower(config["embed_dim"], config["text_cfg"], quick)
            weights += sum(weight.numel() for weight in text.parameters()) / 1e6
        except OSError:
            weights = None
    return weights, counter.get_total_flops() / 1e9


def draw(name: str, file: Path) -> None:
    """A checkpoint of this architecture with random weights, each layer's of a size that keeps numbers finite."""
    from safetensors.torch import save_file

    with torch.device("meta"):
        model = open_clip.create_model(name, pretrained=None, load_weights=False, device="meta")
    generator, drawn = torch.Generator().manual_seed(0), {}
    for key, weight in model.state_dict().items():
        if not weight.is_floating_point():
            drawn[key] = torch.zeros(weight.shape, dtype=weight.dtype)
        elif weight.ndim < 2:
            drawn[key] = torch.full(weight.shape, 0.0 if key.endswith("bias") or "running_mean" in key else 1.0)
        else:
            spread = (weight[0].numel()) ** -0.5
            drawn[key] = torch.randn(weight.shape, generator=generator) * min(spread, 0.05)
        if key == "logit_scale":
            drawn[key] = torch.tensor(3.0).expand(weight.shape).clone()
    save_file({key: weight.contiguous() for key, weight in drawn.items()}, file)


def try_out(name: str) -> dict[str, Any]:
    """Load it through our code, embed a picture and a text, and hold both against open_clip."""
    import clipcore
    from clipcore.models import open_clip_model

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "random.safetensors"
        draw(name, file)
        began = time.perf_counter()
        clip = clipcore.load(f"{name}/{file}", "cpu", "fp32")
        picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        ours = clip.embed_images([picture])[0], clip.embed_texts(["a photo of a cat."])[0]
        seconds = time.perf_counter() - began
        del clip
        model, preprocess, tokenizer = open_clip_model(f"{name}/{file}")
        from PIL import Image

        with torch.no_grad():
            theirs = (
                model.eval().encode_image(preprocess(Image.fromarray(picture))[None], normalize=True)[0].numpy(),
                model.encode_text(tokenizer(["a photo of a cat."]), normalize=True)[0].numpy(),
            )
    cosines = [float(a @ b) for a, b in zip(ours, theirs, strict=True)]
    off = not min(cosines) >= CLOSE or not all(np.isfinite(vector).all() for vector in ours)
    return {"outcome": "failed" if off else "passed", "detail": f"cosines {cosines[0]:.5f} {cosines[1]:.5f}", "s": seconds}


def free_gigabytes() -> float:
    """Memory that may be used, as Linux tells; elsewhere 8."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1e6
    except (OSError, StopIteration):
        return 8.0


def in_child(name: str) -> dict[str, Any]:
    """`try_out` in a process of its own: one that dies takes nobody with it, and its memory comes back."""
    command = [sys.executable, "-m", "benchmarks.towers", "--one", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        return json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"outcome": "left out", "detail": f"needs more than {SECONDS} s"}
    except (ValueError, IndexError):
        return {
            "outcome": "failed",
            "detail": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:160],
        }


def main(
    most: Annotated[float, typer.Option(help="Millions of weights, at most.")] = 500.0,
    memory: Annotated[float, typer.Option(help="Gigabytes, at most; 0 is what is free.")] = 0.0,
    kept: Annotated[Path | None, typer.Option(help="A file of outcomes to go on from.")] = None,
    only: Annotated[str, typer.Option(help="Architectures whose name has this in it.")] = "",
    profiles: Annotated[bool, typer.Option("--profile", help="Weights and operations as CSV; nothing is loaded.")] = False,
    one: Annotated[str, typer.Option(hidden=True)] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Print the table in Markdown."""
    if one:
        print(json.dumps(_tried(one)))
        return
    named = [name for name in open_clip.list_models() if only.lower() in name.lower()]
    found: list[tuple[float, str, float, str]] = []
    for name in named:
        try:
            weights, gflops = profile(name)
            if profiles:
                print(f"{name},{weights or 0:.2f},{gflops:.2f}", flush=True)
            found.append((weights or 0.0, name, gflops, "" if weights else "its text tower is described on the hub"))
        except Exception as error:  # whatever an architecture raises is its outcome here
            found.append((0.0, name, 0.0, " ".join(str(error).split())[:120] or type(error).__name__))
    if profiles:
        return
    if not as_json:
        print("| architecture | M weights | GFLOP | outcome | |\n|---|---:|---:|---|---|")
    counts: Counter[str] = Counter()
    before = [json.loads(line) for line in kept.read_text().splitlines()] if kept and kept.exists() else []
    known = {row.pop("name"): row for row in before}
    for weights, name, gflops, trouble in sorted(found):
        gigabytes = NEEDED * 4 * weights / 1e3
        if name in known:
            row = known[name]
        elif weights > most:
            row = {"outcome": "left out", "detail": f"more than {most:g} M weights"}
        elif gigabytes > min(free_gigabytes(), memory or float("inf")):
            row = {"outcome": "left out", "detail": f"needs about {gigabytes:.0f} GB of memory"}
        else:
            row = in_child(name)
            if kept:
                with kept.open("a") as file:
                    file.write(json.dumps({"name": name, **row}) + "\n")
        counts[row["outcome"]] += 1
        if as_json:
            print(json.dumps({"name": name, "mparams": weights, "gflops": gflops, **row}), flush=True)
        else:
            said = row["detail"] + (f"; {trouble}" if trouble else "")
            print(f"| {name} | {weights:,.0f} | {gflops:,.1f} | {row['outcome']} | {said} |", flush=True)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    print(f"\n{len(found)} architectures: {told}", file=sys.stderr if as_json else sys.stdout)


def _tried(name: str) -> dict[str, Any]:
    try:
        return try_out(name)
    except Exception as error:  # whatever it raises is its outcome
        told = " ".join(f"{error} {error.__cause__ or ''}".split())
        here = not any(word in told.lower() for word in HUB)
        outcome = "failed" if here else "not here"
        return {"outcome": outcome, "detail": f"{type(error).__name__}: {told[:200]}" if here else "needs files of the hub"}


if __name__ == "__main__":
    typer.run(main)
