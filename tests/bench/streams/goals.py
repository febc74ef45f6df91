"""What the streams must come to, as ratios of the same run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tests.bench.streams.racing import Times


def goals(raced: Mapping[str, Times]) -> Iterator[tuple[str, float, float]]:
    """What is held against what, how it came out, and the least it must be."""
    ours = raced["ours"]
    yield "ours ÷ aiokafka alone, by processor time", 1 / ours.cpu_ratio, 0.6
    yield "ours ÷ aiokafka alone, by the clock", 1 / ours.wall_ratio, 0.5
    for module, name, least in (("bytewax_sink", "Bytewax", 1.1), ("quix_sink", "Quix Streams", 2.5)):
        if module in raced:
            yield f"ours ÷ {name}, by processor time", raced[module].cpu_ratio / ours.cpu_ratio, least
