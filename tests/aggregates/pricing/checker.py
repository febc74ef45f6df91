"""An independent reader of price traces: it computes every figure again and names what does not fit.

It imports nothing of the pricing package; it reads a trace as plain data and divides by fractions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any

Plain = Mapping[str, Any]


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def split(amount: int, weights: Sequence[int], caps: Sequence[int]) -> list[int]:
    """Largest remainder with caps, by fixing one overfull line after the other; ties to the earlier."""
    fixed: dict[int, int] = {}
    while True:
        rest = amount - sum(fixed.values())
        free = [i for i in range(len(weights)) if i not in fixed and weights[i] > 0]
        total = sum(weights[i] for i in free)
        exact = {i: Fraction(rest * weights[i], total) for i in free}
        over = [i for i in free if exact[i] > caps[i]]
        if not over:
            break
        fixed.update({i: caps[i] for i in over})
    parts = {**dict.fromkeys(range(len(weights)), 0), **fixed, **{i: floor(share) for i, share in exact.items()}}
    ranked = sorted(free, key=lambda i: (floor(exact[i]) - exact[i], i))
    for i in ranked[: amount - sum(parts.values())]:
        parts[i] += 1
    return [parts[i] for i in range(len(weights))]


class Checker:
    def __init__(self, trace: Plain) -> None:
        self.trace = trace
        self.lines = {line["id"]: line for line in trace["lines"]}
        self.running: dict[str, int] = {n: line["list_unit"] * line["quantity"] for n, line in self.lines.items()}
        self.inside = [name for name, line in self.lines.items() if line["kind"] not in ("gift", "shipping")]
        self.tax = dict.fromkeys(self.lines, 0)
        self.points = dict.fromkeys(self.lines, 0)
        self.recompute: set[str] = set()

    def objections(self) -> list[str]:
        return [*self.of_order(), *self.of_steps(), *self.of_result()]

    def of_order(self) -> Iterator[str]:
        stages = [step["stage"] for step in self.trace["steps"]]
        if stages != sorted(stages):
            yield "steps do not stand in the order of the pipeline"
        rates = [step["op"]["rate"] for step in self.trace["steps"] if step["stage"] == 8]
        if self.trace["basis"] == "group" and len(rates) != len({tuple(rate) for rate in rates}):
            yield "a rate is taxed twice"
        if list(self.lines) != sorted(self.lines):
            yield "lines do not stand in the order of their ids"

    def of_steps(self) -> Iterator[str]:
        stage, entry, before_points = 0, dict(self.running), None
        for number, step in enumerate(self.trace["steps"]):
            if step["stage"] != stage:
                stage, entry = step["stage"], dict(self.running)
                if stage == 6:
                    before_points = dict(self.running)
                if stage == 7 and before_points is not None:
                    entry = before_points
            for problem in self.of_step(step, entry):
                yield f"step {number} ({step['source']}): {problem}"

    def of_step(self, step: Plain, entry: Mapping[str, int]) -> Iterator[str]:
        names: list[str] = list(step["scope"])
        parts: dict[str, int] = dict(map(tuple, step["parts"]))
        counted = list(step["counted"] or names)
        if list(parts) != names:
            yield "its parts are not those of its scope"
            return
        before = sum(entry[name] for name in counted)
        if before != step["entry"]:
            yield f"entry is {before}"
        if before < step["threshold"] or sum(self.lines[name]["quantity"] for name in counted) < step["least_units"]:
            yield "its threshold is not met"
        if sum(parts.values()) != step["amount"]:
            yield "its parts do not sum to its amount"
        if step["stage"] == 8:
            yield from self.of_tax(step, names, parts)
            return
        wanted = self.wanted(step, names, before)
        if step["op"]["kind"] != "points" and wanted != step["wanted"]:
            yield f"it wanted {wanted}"
        yield from self.of_bounds(step, names, wanted)
        for name, part in zip(names, self.split_of(step, names), strict=True):
            if parts[name] != part:
                yield f"{name} bears {part}"
        for name, part in parts.items():
            self.running[name] -= part
        if step["refund"] == "recompute":
            self.recompute |= set(names)
        if step["op"]["kind"] == "points":
            shares = split(step["op"]["a"], list(parts.values()), [step["op"]["a"]] * len(parts))
            self.points.update(zip(names, shares, strict=True))

    def wanted(self, step: Plain, names: list[str], before: int) -> int:
        op: Plain = step["op"]
        now = sum(self.running[name] for name in names)
        units = sum(self.lines[name]["quantity"] for name in (step["counted"] or names))
        match op["kind"]:
            case "unit":
                return int(max(0, now - sum(op["n"] * self.lines[name]["quantity"] for name in names)))
            case "percent":
                return half_up(now * Fraction(*op["rate"]))
            case "fixed" | "points":
                return int(op["n"])
            case "per_full":
                return int(before // op["a"] * op["n"])
            case "ladder":
                measure = units if op["by"] == "count" else before
                reached = [rung for rung in op["rungs"] if rung["start"] <= measure]
                if not reached:
                    return 0
                top = max(reached, key=lambda rung: int(rung["start"]))
                return half_up(now * Fraction(*top["rate"])) if top["rate"] else int(top["off"])
            case "units":
                return int(sum(off["units"] * off["each"] for off in op["units"]))
            case "bundle":
                return int(sum(off["units"] * off["each"] for off in op["units"]) - op["n"] * op["a"])
            case kind:
                raise AssertionError(kind)

    def room(self, name: str) -> int:
        line = self.lines[name]
        return int(max(0, self.running[name] - line["floor"] * line["quantity"]))

    def of_bounds(self, step: Plain, names: list[str], wanted: int) -> Iterator[str]:
        bounds = {"floor": sum(self.weights_and_caps(step, names)[1]), **dict(map(tuple, step["limits"]))}
        if self.trace["most_off"] and 3 <= step["stage"] <= 5 and all(name in self.inside for name in names):
            lists = sum(self.lines[name]["list_unit"] * self.lines[name]["quantity"] for name in self.inside)
            taken = lists - sum(self.running[name] for name in self.inside)
            bounds["max_discount"] = max(0, floor(lists * Fraction(*self.trace["most_off"])) - taken)
        least = min(wanted, *bounds.values())
        if step["amount"] != least:
            yield f"its amount is {least}"
        if step["op"]["kind"] == "points":
            if floor(step["op"]["a"] * Fraction(*step["op"]["rate"])) != step["amount"]:
                yield "its points are not worth that"
            if step["wanted"] < step["amount"] or (step["limited_by"] == "none") != (step["wanted"] == step["amount"]):
                yield "what was asked is wrong"
            return
        if (step["limited_by"] == "none") != (wanted == step["amount"]):
            yield "what limits it is wrong"
        elif step["limited_by"] in bounds and bounds[step["limited_by"]] != step["amount"]:
            yield f"{step['limited_by']} does not limit it"

    def weights_and_caps(self, step: Plain, names: list[str]) -> tuple[list[int], list[int]]:
        rooms = [self.room(name) for name in names]
        if step["op"]["kind"] not in ("units", "bundle"):
            return [self.running[name] for name in names], rooms
        shares = dict.fromkeys(names, 0)
        for off in step["op"]["units"]:
            shares[off["line"]] += off["units"] * off["each"]
        return list(shares.values()), [min(shares[name], room) for name, room in zip(names, rooms, strict=True)]

    def split_of(self, step: Plain, names: list[str]) -> list[int]:
        return split(step["amount"], *self.weights_and_caps(step, names))

    def of_tax(self, step: Plain, names: list[str], parts: Mapping[str, int]) -> Iterator[str]:
        rate = Fraction(*step["op"]["rate"])
        amounts = [self.running[name] for name in names]
        total = sum(amounts)
        tax = half_up(total * rate / (1 + rate) if self.trace["mode"] == "included" else total * rate)
        if not tax == step["amount"] == step["wanted"]:
            yield f"the tax is {tax}"
        if any(Fraction(*self.lines[name]["rate"]) != rate for name in names):
            yield "it taxes a line of another rate"
        caps = amounts if self.trace["mode"] == "included" else [tax] * len(names)
        if tax == step["amount"] and split(tax, amounts, caps) != list(parts.values()):
            yield "the tax is split wrongly"
        for name, part in parts.items():
            self.tax[name] += part

    def of_result(self) -> Iterator[str]:
        added = self.trace["mode"] == "added"
        for name, share in zip(self.lines, self.trace["shares"], strict=True):
            paid = self.running[name] + (self.tax[name] if added else 0)
            rule = "recompute" if name in self.recompute else "proportional"
            expected = {"line": name, "paid": paid, "tax": self.tax[name], "points": self.points[name], "refund": rule}
            if dict(share) != expected:
                yield f"the share of {name} is {expected}"
        untaxed = [n for n, line in self.lines.items() if line["rate"][0] and self.running[n] and not self.is_taxed(n)]
        if untaxed:
            yield f"no tax of {untaxed}"
        if self.trace["payable"] != sum(share["paid"] for share in self.trace["shares"]):
            yield "the shares do not sum to what is payable"
        if self.trace["tax"] != sum(self.tax.values()):
            yield "the tax is not the sum of its steps"
        if min(self.running.values(), default=0) < 0:
            yield "a line costs less than nothing"

    def is_taxed(self, name: str) -> bool:
        return any(step["stage"] == 8 and name in step["scope"] for step in self.trace["steps"])


def objections(trace: Plain) -> list[str]:
    """Return what is wrong with a trace, an empty list if everything fits."""
    return Checker(trace).objections()
