"""What 1 million to 5 billion pictures take, from measured unit costs; and how many workers keep a latency, by simulation.

python -m benchmarks scale            the tables of docs/scale.md, from benchmarks/unit_costs.json
python -m benchmarks scale --check    two real workers beside the simulation of them
"""

import heapq
import json
import math
import multiprocessing as mp
import time
from collections.abc import Sequence
from pathlib import Path
from queue import Empty
from typing import Annotated, Any

import numpy as np
import typer

COSTS = Path(__file__).with_name("unit_costs.json")
SIZES = {"1 million": 1e6, "100 million": 1e8, "5 billion": 5e9}
PAIRS = 4e8  # of the paper
CHECK_SECONDS, CHECK_LOAD = 10.0, 0.6


def costs() -> dict[str, float]:
    """The unit costs by name."""
    return {name: float(cost["value"]) for name, cost in json.loads(COSTS.read_text(encoding="utf-8")).items()}


def needs(pictures: float, unit: dict[str, float]) -> dict[str, str]:
    """What a library of this many pictures takes: hours of embedding, disk, memory, the search and its machines."""
    core_hours = pictures / unit["starter_pictures_per_core_second"] / 3600
    large = pictures / unit["vit_b32_pictures_per_core_second"] / 3600
    gpu_hours = pictures * unit["picture_gflop"] / (unit["gpu_tflops"] * 1000) / 3600
    memory = pictures * unit["scan_bytes"] / 1e9
    machines = math.ceil(memory / (0.75 * unit["machine_gb"]))  # a quarter is left to the rest
    return {
        "embedding, starter: core-hours": f"{core_hours:,.0f}",
        "embedding, starter: hours on one machine": f"{core_hours / unit['machine_cores']:,.1f}",
        "embedding, ViT-B-32: core-hours": f"{large:,.0f}",
        "embedding, ViT-B-32: GPU-hours of the tower (reckoned)": f"{gpu_hours:,.2f}",
        "pictures: GB": f"{pictures * unit['picture_bytes'] / 1e9:,.0f}",
        "thumbnails: GB": f"{pictures * unit['thumbnail_bytes'] / 1e9:,.0f}",
        "vectors in the database: GB": f"{pictures * unit['vector_bytes'] / 1e9:,.0f}",
        "vectors in memory, a byte a number: GB": f"{memory:,.1f}",
        "machines to hold those": f"{machines:,}",
        "looking at every vector: core-seconds a search": f"{pictures / 1e6 * unit['scan_ms_per_million'] / 1000:,.3g}",
    }


def training(unit: dict[str, float]) -> dict[str, str]:
    """What the paper's pairs take to train ViT-B-32 from nothing."""
    seen = PAIRS * unit["epochs"]
    return {
        "pairs seen": f"{seen:,.0f}",
        "GPU-hours (reckoned)": f"{seen * 3 * unit['pair_gflop'] / (unit['gpu_tflops'] * 1000) / 3600:,.0f}",
        "core-hours, the starter's towers": f"{seen / unit['core_hour_training_pairs']:,.0f}",
        "pictures: GB": f"{PAIRS * unit['picture_bytes'] / 1e9:,.0f}",
    }


def simulated(arrivals: np.ndarray, services: np.ndarray, workers: int) -> np.ndarray:
    """Seconds from arrival to answer, [n]: requests that arrive at `arrivals` [n] and take `services` [n], first come first
    served, by the worker that is free first."""
    free = [0.0] * workers
    latencies = np.empty(len(arrivals))
    for i, (arrival, service) in enumerate(zip(arrivals.tolist(), services.tolist(), strict=True)):
        done = max(arrival, heapq.heappop(free)) + service
        heapq.heappush(free, done)
        latencies[i] = done - arrival
    return latencies


def workers_for(rate: float, services: Sequence[float] | np.ndarray, p95: float, n: int = 20_000) -> int | None:
    """The fewest workers that answer 95 of 100 requests within `p95` seconds, `rate` a second arriving at random, each of
    which takes as long as one of `services`; None where no number does, since the work alone takes longer."""
    random = np.random.default_rng(0)
    taken = random.choice(np.asarray(services, float), n)
    if np.percentile(taken, 95) > p95:
        return None
    arrivals = np.cumsum(random.exponential(1 / rate, n))
    workers = max(1, math.ceil(rate * float(taken.mean())))
    while np.percentile(simulated(arrivals, taken, workers), 95) > p95:
        workers += 1
    return workers


def check(workers: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Seconds from arrival to answer that real processes took, [n], and those of the simulation, given the same arrivals and
    the times that the work itself took. Each request is a search of 100,000 vectors."""
    context = mp.get_context("spawn")
    asked, answered, ready = context.Queue(), context.Queue(), context.Queue()
    processes = [context.Process(target=_work, args=(asked, answered, ready)) for _ in range(workers)]
    for process in processes:
        process.start()
    mean = float(np.mean([ready.get(timeout=120) for _ in processes]))
    random = np.random.default_rng(1)
    arrivals = np.cumsum(random.exponential(mean / (workers * CHECK_LOAD), int(CHECK_SECONDS * workers * CHECK_LOAD / mean)))
    start = time.monotonic()
    for i, arrival in enumerate(arrivals.tolist()):
        time.sleep(max(0.0, start + arrival - time.monotonic()))
        arrivals[i] = time.monotonic() - start
        asked.put(i)
    for _ in processes:
        asked.put(None)
    rows = sorted(answered.get(timeout=60) for _ in arrivals)
    for process in processes:
        process.join()
    real = np.array([done - start for _, done, _ in rows]) - arrivals
    return real, simulated(arrivals, np.array([took for _, _, took in rows]), workers)


def _work(asked: Any, answered: Any, ready: Any) -> None:
    """A worker: searches until it is told to end."""
    rows = np.random.default_rng(0).standard_normal((100_000, 128), dtype=np.float32)

    def search(number: int) -> float:
        began = time.monotonic()
        scores = rows @ rows[number % len(rows)]
        np.argpartition(-scores, 20)
        return time.monotonic() - began

    ready.put(float(np.mean([search(i) for i in range(40)])))
    while True:
        try:
            number = asked.get(timeout=60)
        except Empty:
            return
        if number is None:
            return
        took = search(number)
        answered.put((number, time.monotonic(), took))


def main(checks: Annotated[bool, typer.Option("--check", help="Two workers beside their simulation.")] = False) -> None:
    """Print the tables of docs/scale.md."""
    if checks:
        for name, latencies in zip(("measured", "simulated"), check(), strict=True):
            p50, p95 = np.percentile(latencies, [50, 95]) * 1000
            print(f"two workers, {name}: p50 {p50:.1f} ms, p95 {p95:.1f} ms  (n={len(latencies)})")
        return
    print(tables())


def tables() -> str:
    """The tables as they stand in docs/scale.md."""
    unit = costs()
    columns = [needs(pictures, unit) for pictures in SIZES.values()]
    lines = ["| pictures | " + " | ".join(SIZES) + " |", "|---|" + "---:|" * len(SIZES)]
    lines += [f"| {row} | " + " | ".join(column[row] for column in columns) + " |" for row in columns[0]]
    lines += ["", f"| {PAIRS:,.0f} pairs, {unit['epochs']:.0f} times | ViT-B-32 |", "|---|---:|"]
    lines += [f"| {row} | {value} |" for row, value in training(unit).items()]
    scan = np.array([unit["scan_ms_per_million"] / 1000])
    spread = scan * np.random.default_rng(0).lognormal(0, 0.3, 1000)
    lines += ["", "| searches a second, a million vectors | workers for p95 of 60 ms | of 100 ms |", "|---|---:|---:|"]
    lines += [f"| {rate} | {workers_for(rate, spread, 0.06)} | {workers_for(rate, spread, 0.1)} |" for rate in (10, 50, 200)]
    return "\n".join(lines)
