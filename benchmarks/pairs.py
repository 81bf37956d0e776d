"""Two ways to do one thing, timed in turn in one process, so that a busy machine slows both alike."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

PAUSE = 0.2  # seconds before each: threads of a BLAS spin on after their work, and the other side's would be slowed by them


@dataclass(frozen=True)
class Row:
    """One comparison: medians of `n` rounds in `unit`, and other / ours (above one: ours is faster)."""

    case: str
    ours: float
    other: float
    ratio: float
    unit: str
    n: int


def timed_pair(case: str, ours: Callable[[], object], other: Callable[[], object], rounds: int) -> Row:
    """Run both once to warm up, then in turn for `rounds` rounds."""
    seconds: dict[str, list[float]] = {"ours": [], "other": []}
    for turn in range(rounds + 1):
        for name, run in (("ours", ours), ("other", other)):
            time.sleep(PAUSE)
            start = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - start)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    ratio = round(medians["other"] / medians["ours"], 2)
    return Row(case, round(medians["ours"], 4), round(medians["other"], 4), ratio, "seconds", rounds)


def machine() -> str:
    """The processor and its cores, as the results should say."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"


def show(name: str, other: str, rows: list[Row], as_json: bool) -> None:
    """Print one table, or one JSON object."""
    if as_json:
        print(json.dumps({"name": name, "machine": machine(), "other": other, "rows": [asdict(row) for row in rows]}))
        return
    print(f"{name}: ours against {other}; {machine()}")
    for row in rows:
        print(f"  {row.case:<56} {row.ours:>9.4g} {row.other:>9.4g} {row.unit}   x{row.ratio:g}  (n={row.n})")
