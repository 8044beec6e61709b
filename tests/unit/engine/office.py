"""People who act on a case in tests: outcomes kept as the rows of the cases room would keep them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from workflows.engine import Bindings, OpenTask, PublishedVersion, RunResult, runner


class Desk:
    """Holds one case and remembers, like rows, what each step decided last and what was done."""

    def __init__(self, version: PublishedVersion) -> None:
        self.version = version
        self.outcomes: dict[str, str] = {}
        self.log: list[tuple[str, object]] = []
        self.ends = datetime(2026, 1, 12, tzinfo=UTC)
        self.result: RunResult = runner.start(version, self.bindings, {"case": 1})

    @property
    def bindings(self) -> Bindings:
        return Bindings(
            functions={
                "outcome": self.outcomes.__getitem__,
                "any_outcome": lambda value, *steps: value in [self.outcomes[step] for step in steps],
                "visited": self.outcomes.__contains__,
                "decided": lambda decision, output: "yes",
                "publicity_end": lambda: self.ends,
                "days_from_now": lambda days, unit: self.ends + timedelta(days=days),
                "open_objections": lambda: 0,
            },
            operations={
                name: self._operation(name)
                for name in ("set_status", "open_publicity", "close_publicity", "notify")
            },
            evaluate=lambda decision: self.log.append(("evaluate", decision)),
        )

    def _operation(self, name: str) -> Callable[..., None]:
        return lambda **arguments: self.log.append((name, arguments))

    @property
    def open(self) -> list[str]:
        return sorted(task.element for task in self.result.tasks)

    def task(self, element: str) -> OpenTask:
        return next(task for task in self.result.tasks if task.element == element)

    def act(self, element: str, outcome: str = "agree") -> RunResult:
        task = self.task(element)
        self.outcomes[element] = outcome
        self.result = runner.complete(self.version, self.result.state, task.task_id, self.bindings)
        return self.result
