"""What a soak looks at every ten seconds, and how a series of such looks is judged and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from streams.bootstrap import App
from tests.bench.streams.completeness import checkpoints

PAGE = 4096  # bytes, as the kernel counts memory
BARS = "▁▂▃▄▅▆▇█"
WIDTH = 40


@dataclass(frozen=True)
class Sample:
    """``seconds`` since the beginning. ``lag``: events that are not in all read models. ``memory``: MiB resident, by process.

    ``redis``: MiB that Redis says its data takes.
    """

    seconds: float
    lag: int
    memory: Mapping[str, float]
    redis: float


def sample(app: App, processes: Mapping[str, int], seconds: float) -> Sample:
    head, reached = app.log.head(), max(checkpoints(app).values(), default=0)
    memory = {name: resident(process) for name, process in processes.items()}
    return Sample(seconds, head - reached, memory, int(app.views.client.info("memory")["used_memory"]) / 2**20)


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
