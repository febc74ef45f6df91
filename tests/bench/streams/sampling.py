"""What a soak looks at every ten seconds, and how a series of such looks is judged and drawn."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from streams.running.app import App
from streams.running.positions import fold_positions

PAGE = 4096  # bytes, as the kernel counts memory
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 40


@dataclass(frozen=True)
class Sample:
    """``seconds`` since the beginning. ``memory``: MiB resident, by process.

    ``lag``: events that the fold with most to do has yet to take. ``redis``: MiB that Redis says its data takes.
    """

    seconds: float
    lag: int
    memory: Mapping[str, float]
    redis: float


def sample(app: App, processes: Mapping[str, int], seconds: float) -> Sample:
    lag = max(standing.behind for standing in fold_positions(app))
    memory = {name: resident(process) for name, process in processes.items()}
    return Sample(seconds, lag, memory, int(app.views.client.info("memory")["used_memory"]) / 2**20)


def processor(process: int) -> float:
    """Seconds of processor time of a process and of the children that it waited for."""
    told = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")


def resident(process: int) -> float:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * PAGE / 2**20


def slope(samples: Sequence[Sample], name: str) -> float:
    """MiB a minute that a process grows by, after the first quarter."""
    late = samples[len(samples) // 4 :]
    return linear_regression([s.seconds / 60 for s in late], [s.memory[name] for s in late]).slope if len(late) > 1 else 0.0


def sparkline(values: Sequence[float]) -> str:
    """
    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    step = max(1, len(values) // WIDTH)
    shown = values[::step]
    least, most = min(shown), max(shown)
    return "".join(BARS[int((value - least) / ((most - least) or 1) * (len(BARS) - 1))] for value in shown)
