"""Diagrams drawn by chance, well formed and spoilt: whatever is accepted runs as an interpreter of tokens runs it, which knows nothing
of the library and nothing of our reading of the file."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.engine.drawing import Sketch
from tests.unit.engine.office import Desk
from tests.unit.engine.words import VOCABULARY
from workflows.engine import examine


@dataclass
class Artist:
    """Draws blocks within blocks: steps in a row, choices, forks with their joins, subprocesses, ways back."""

    chance: random.Random
    sketch: Sketch = field(default_factory=lambda: Sketch(layout=False))
    count: int = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind}{self.count}"

    def whole(self) -> Sketch:
        self.scope(None, 3)
        for _ in range(self.chance.choice([0, 0, 1, 2])):
            self.spoil()
        return self.sketch

    def scope(self, scope: str | None, depth: int) -> None:
        start, end = self.name("s"), self.name("e")
        self.sketch.start(start, scope).end(end, scope)
        first, last = self.block(scope, depth)
        self.sketch.flow(start, first, scope=scope).flow(last, end, scope=scope)

    def block(self, scope: str | None, depth: int) -> tuple[str, str]:
        """A part with one way in and one way out: their elements."""
        kind = self.chance.choice(["step", "row", "choice", "fork", "inner", "back"] if depth else ["step"])
        if kind == "row":
            (begin, one), (two, end) = self.block(scope, depth - 1), self.block(scope, depth - 1)
            self.sketch.flow(one, two, scope=scope)
            return begin, end
        if kind == "inner":
            inner = self.name("p")
            self.sketch.node(inner, "subProcess", scope=scope)
            self.scope(inner, depth - 1)
            return inner, inner
        if kind == "step":
            step = self.name("a")
            self.sketch.user(step, None, scope)
            return step, step
        if kind == "back":
            return self.back(scope, depth)
        return self.ways(scope, depth, kind)

    def back(self, scope: str | None, depth: int) -> tuple[str, str]:
        entry, leave = self.name("m"), self.name("x")
        begin, end = self.block(scope, depth - 1)
        onward = self.name("a")
        self.sketch.choice(entry, scope=scope).choice(leave, onward, scope).user(onward, None, scope)
        self.sketch.line(entry, begin, scope=scope).line(end, leave, onward, scope=scope)
        self.sketch.flow(leave, entry, f'not visited("{self.step()}")', scope=scope)
        return entry, onward

    def ways(self, scope: str | None, depth: int, kind: str) -> tuple[str, str]:
        split, join = self.name("x"), self.name("m")
        blocks = [self.block(scope, depth - 1) for _ in range(self.chance.choice([2, 2, 3]))]
        if kind == "fork":
            self.sketch.parallel(split, scope).parallel(join, scope)
        else:
            self.sketch.choice(split, blocks[-1][0], scope).choice(join, scope=scope)
        for begin, end in blocks:
            asked = f'visited("{self.step()}")' if kind == "choice" and begin != blocks[-1][0] else ""
            self.sketch.flow(split, begin, asked, scope=scope).flow(end, join, scope=scope)
        return split, join

    def step(self) -> str:
        """A step, maybe one that is yet to be drawn."""
        drawn = [node.id for node in self.sketch.nodes if node.kind == "userTask"]
        return self.chance.choice(drawn) if drawn else "a1"

    def spoil(self) -> None:
        """A flow more, a flow elsewhere, another kind of gateway."""
        sketch, chance = self.sketch, self.chance
        kind = chance.choice(["more", "elsewhere", "gateway"])
        gateways = [node for node in sketch.nodes if node.kind.endswith("Gateway")]
        if kind == "gateway" and gateways:
            one = chance.choice(gateways)
            one.kind = "exclusiveGateway" if one.kind == "parallelGateway" else "parallelGateway"
            one.attributes.pop("default", None)
        elif kind == "elsewhere":
            place = chance.randrange(len(sketch.flows))
            sketch.flows[place] = replace(sketch.flows[place], target=chance.choice(sketch.nodes).id)
        else:
            source, target = chance.choice(sketch.nodes), chance.choice(sketch.nodes)
            asked = f'visited("{self.step()}")' if source.kind == "exclusiveGateway" else ""
            sketch.flow(source.id, target.id, asked, scope=source.scope)


class Tokens:
    """BPMN 2.0 by the letter: tokens on flows, one activation after the other until only steps wait."""

    def __init__(self, sketch: Sketch, done: set[str]) -> None:
        self.nodes = {node.id: node for node in sketch.nodes}
        self.flows = sketch.flows
        self.done = done
        self.waiting: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()
        self.on: Counter[str] = Counter()
        self.begin(None)
        self.settle()

    def begin(self, scope: str | None) -> None:
        (start,) = [one.id for one in self.nodes.values() if one.scope == scope and one.kind == "startEvent"]
        self.leave(start)

    def out(self, node: str) -> list[str]:
        return [flow.id for flow in self.flows if flow.source == node]

    def into(self, node: str) -> list[str]:
        return [flow.id for flow in self.flows if flow.target == node]

    def leave(self, node: str) -> None:
        self.on.update(self.out(node))

    def act(self, step: str) -> None:
        self.done.add(step)
        self.waiting[step] -= 1
        self.leave(step)
        self.settle()

    def settle(self) -> None:
        for _ in range(1_000):
            if not any(self.take(node) for node in self.nodes) and not any(
                self.close(node) for node in list(+self.inside)
            ):
                return
        raise AssertionError("it never comes to rest")

    def take(self, node: str) -> bool:
        """Activate a node whose tokens are there."""
        arrived = [flow for flow in self.into(node) if self.on[flow]]
        kind = self.nodes[node].kind
        if not arrived or (kind == "parallelGateway" and len(arrived) < len(self.into(node))):
            return False
        self.on.subtract(arrived if kind == "parallelGateway" else arrived[:1])
        if kind == "userTask":
            self.waiting[node] += 1
        elif kind == "subProcess":
            self.inside[node] += 1
            self.begin(node)
        elif kind == "exclusiveGateway":
            self.on[self.choose(node)] += 1
        elif kind == "parallelGateway":
            self.leave(node)
        return True

    def choose(self, node: str) -> str:
        """The first flow in the file's order whose condition holds; else the default, or the only one."""
        flows = [flow for flow in self.flows if flow.source == node]
        for flow in flows:
            if flow.condition:
                said = flow.condition.removeprefix("not ")
                if (said.split('"')[1] in self.done) != flow.condition.startswith("not "):
                    return flow.id
        return next(flow.id for flow in flows if not flow.condition)

    def close(self, scope: str) -> bool:
        """A subprocess ends when no token is left in it."""
        within = [node.id for node in self.nodes.values() if node.scope == scope]
        if any(
            self.waiting[node] or self.inside[node] or any(self.on[flow] for flow in self.into(node))
            for node in within
        ):
            return False
        self.inside[scope] -= 1
        self.leave(scope)
        return True

    @property
    def open(self) -> list[str]:
        return sorted(self.waiting.elements())

    @property
    def finished(self) -> bool:
        return not (+self.waiting or +self.inside or +self.on)


def compared(seed: int) -> bool:
    """Whether the file was accepted; if so, both walk the same way."""
    chance = random.Random(seed)
    sketch = Artist(chance).whole()
    if not examine(sketch.xml().encode(), "theirs.bpmn", VOCABULARY).accepted:
        return False
    desk = Desk(sketch.publish_unchecked())
    tokens = Tokens(sketch, done := set[str]())
    for _ in range(25):
        assert desk.open == tokens.open, (seed, sketch.xml())
        assert desk.result.finished == tokens.finished, (seed, sketch.xml())
        if tokens.finished:
            break
        step = chance.choice(desk.open)
        desk.act(step)
        tokens.act(step)
        assert set(desk.outcomes) == done
    return True


@given(st.integers(0, 2**40))
@settings(max_examples=150)
def test_what_is_accepted_runs_as_tokens_run(seed: int) -> None:
    compared(seed)


def test_most_drawings_are_accepted_and_most_spoilt_ones_are_not() -> None:
    """The comparison above is one of something."""
    accepted = sum(compared(seed) for seed in range(60))
    assert 15 <= accepted <= 55
