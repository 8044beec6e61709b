"""What the diagrams promise, written a second time in plain Python: after each action the case must stand where this
says. It keeps only the words of the present round; whoever used an older one would end up somewhere else."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import ClassVar

REVIEWS = frozenset({"hrss_review", "rural_review"})
JOINT = frozenset({"site_check", "joint_issue", "recheck", "restore_check"})
#: Steps with a timer on them: step → the event that goes off.
EXPIRES = {
    "review_report": "report_expired",
    "rectification": "rectification_expired",
    "hearing": "hearing_expired",
}


@dataclass
class Oracle:
    """Where a case stands. ``steps``: what is open; ``signed``: the outcome one office has signed in a joint step."""

    #: Opening these begins a round.
    ROUNDS: ClassVar[tuple[tuple[str, ...], ...]] = (tuple(sorted(REVIEWS)),)

    steps: set[str]
    words: dict[str, str] = field(default_factory=dict)
    signed: str | None = None
    finished: bool = False
    #: Rounds begun so far, of which the walks want thirty.
    rounds: int = 0
    #: Where 撤回 leads back to; nothing once anybody else has moved.
    before: Oracle | None = None

    def decide(self, step: str, outcome: str) -> None:
        """Somebody decides a step, or signs it for one of its two offices."""
        if step in JOINT and outcome == "sent_back":
            self.signed = None
        elif step in JOINT and self.signed is None:
            self.signed = outcome
        else:
            self.signed = None
            self.words[step] = outcome
            self.steps = self.steps - {step}
            if step not in REVIEWS:
                self.after(step, outcome)
            elif not self.steps:
                self.reviewed(frozenset(self.words.pop(review) for review in REVIEWS))

    def go(self, *steps: str) -> None:
        """These are open now."""
        self.steps = set(steps)
        self.rounds += steps in self.ROUNDS

    def review(self) -> None:
        """A round begins: nothing of an earlier one counts."""
        self.go(*sorted(REVIEWS))

    def end(self) -> None:
        """Nothing is open any more."""
        self.steps, self.finished, self.before = set(), True, None

    def remember(self, before: Oracle) -> None:
        """The employer acted on ``before``: that is where 撤回 leads."""
        self.before = before

    def copy(self) -> Oracle:
        return deepcopy(self)

    @property
    def timers(self) -> set[str]:
        """The events that a timer must be waiting for."""
        raise NotImplementedError

    def after(self, step: str, outcome: str) -> None:
        """A step that is no review was decided."""
        raise NotImplementedError

    def reviewed(self, words: frozenset[str]) -> None:
        """Both offices of this round have spoken."""
        raise NotImplementedError

    def expired(self, element: str, objections: int) -> None:
        """A timer went off while so many objections were open."""
        raise NotImplementedError


@dataclass
class Recognition(Oracle):
    """P1. ``publicity``: running, waiting (its end has passed with an objection open), or empty."""

    inspected: bool = False
    publicity: str = ""

    @property
    def timers(self) -> set[str]:
        return {"publicity_ended"} if self.publicity == "running" else set()

    def inspect(self) -> None:
        self.inspected = True
        self.go("site_check")

    def after(self, step: str, outcome: str) -> None:
        match step, outcome:
            case (("application" | "correction"), _):
                self.go("township_acceptance")
            case "township_acceptance", "accept":
                self.review()
            case "township_acceptance", "correct":
                self.go("correction")
            case "rework", _:
                self.review()
            case "site_check", "adverse":
                self.go("rectification")
            case "site_check", _:
                self.go("meeting")
            case "rectification", _:
                self.inspect()
            case "meeting", "agree" if self.inspected:
                self.publicity = "running"
            case "meeting", "agree":
                self.inspect()
            case "meeting", "return":
                self.review()
            case _:  # not accepted, refused, issued
                self.end()

    def reviewed(self, words: frozenset[str]) -> None:
        if "return" in words:
            self.go("rework")
        elif "propose_refuse" in words:
            self.go("meeting")
        else:
            self.inspect()

    def expired(self, element: str, objections: int) -> None:
        self.publicity = "waiting"
        self.settled("rejected", objections)

    def settled(self, result: str, left: int) -> None:
        """An objection was settled; ``left`` are still open."""
        if not self.publicity:
            return
        if result == "upheld":
            self.publicity = ""
            self.go("meeting")
        elif self.publicity == "waiting" and left == 0:
            self.publicity = ""
            self.go("joint_issue")


@dataclass
class Review(Oracle):
    """年审, and restoring (``kind``)."""

    ROUNDS: ClassVar[tuple[tuple[str, ...], ...]] = (("rectification",), ("restore_check",))

    kind: str = "annual"

    @property
    def timers(self) -> set[str]:
        return {EXPIRES[step] for step in self.steps & set(EXPIRES)}

    def after(self, step: str, outcome: str) -> None:
        match step, outcome:
            case "opening", "open":
                self.go("review_report" if self.kind == "annual" else "restore_application")
            case "review_report", _:
                self.go("township_check")
            case "township_check", "confirm":
                self.review()
            case "township_check", "return":
                self.go("review_report")
            case "rectification", _:
                self.go("recheck")
            case "recheck", "fail":
                self.go("hearing")
            case "hearing", _:
                self.go("meeting")
            case "meeting", "rectify":
                self.go("rectification")
            case "restore_application", _:
                self.go("restore_check")
            case "restore_check", "return":
                self.go("restore_application")
            case _:  # kept, revoked, restored, not restored
                self.end()

    def reviewed(self, words: frozenset[str]) -> None:
        if "propose_revoke" in words:
            self.go("hearing")
        elif words == {"keep"}:
            self.end()
        else:
            self.go("rectification")

    def expired(self, element: str, objections: int) -> None:
        step = next(step for step, event in EXPIRES.items() if event == element)
        self.after(step, "silence")


@dataclass
class ObjectionOracle(Oracle):
    """An objection; ``result`` is what the case objected to hears."""

    result: str = ""

    @property
    def timers(self) -> set[str]:
        return set()

    def after(self, step: str, outcome: str) -> None:
        match step, outcome:
            case ("acknowledge", "accept") | ("conclude", "return"):
                self.go("investigate")
            case "investigate", _:
                self.go("conclude")
            case _, ("dismiss" | "reject"):
                self.result = "rejected"
                self.end()
            case _:
                self.result = "upheld"
                self.end()
