"""What a claim, its people and the county's money must come to, written a second time in plain Python: no table, no
diagram. After each action the rows must say what this says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

AMOUNT = 100_000
#: Grant states that take the slot of a person and an employer.
LIVING = frozenset({"claimed", "held", "approved", "paid", "recovered"})
OWED_FROM_RESERVED = frozenset({"reserved", "ready", "bounced"})


@dataclass(eq=False)
class Row:
    """A person on a claim. ``result``: the rules' word; ``words``: what an office said by name."""

    person: int
    result: str = "qualifies"
    grant: str = ""
    owed: str = ""
    words: dict[str, str] = field(default_factory=dict)
    #: Payments that the bank made on it: never more than one.
    paid: int = 0

    @property
    def refused(self) -> bool:
        return "refuse" in self.words.values()

    @property
    def takes_a_slot(self) -> bool:
        return self.grant in LIVING


@dataclass(eq=False)
class Claim:
    """A case. ``at``: its step, or ``reviews``, ``publicity``, ``contested`` (公示 over, an objection open), ``paying``, ``closed``."""

    number: int
    employer: int
    county: str
    rows: list[Row]
    at: str = "application"
    #: Where 撤回 leads; nothing once an office has acted.
    back: str = ""
    #: The day of the application by which the rules have judged the rows last.
    judged_on: date | None = None
    submitted: bool = False
    reviews: dict[str, str] = field(default_factory=dict)
    objection: bool = False
    status: str = ""

    @property
    def open_steps(self) -> set[str]:
        """The work items that must be open."""
        if self.at == "reviews":
            return {"hrss_review", "rural_review"} - set(self.reviews)
        return set() if self.at in ("publicity", "contested", "paying", "closed") else {self.at}

    @property
    def needing_words(self) -> list[Row]:
        """Held people whom no office has refused."""
        return [row for row in self.rows if row.result == "held" and not row.refused]


@dataclass(eq=False)
class Batch:
    """A payment batch. ``rows`` in the order of its lines."""

    number: int
    county: str
    rows: list[tuple[Claim, Row]]
    maker: str
    state: str = "made"

    @property
    def under_way(self) -> bool:
        return self.state in ("made", "checked")

    @property
    def stopped(self) -> bool:
        """Whether somebody in it fell out since it was made."""
        return any(row.owed != "ready" for _, row in self.rows)


@dataclass
class Oracle:
    """Everything. ``totals``: county → fen of its appropriation."""

    totals: dict[str, int]
    claims: list[Claim] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    # Claims ----------------------------------------------------------------------------------------------------

    def others(self, claim: Claim, person: int) -> Iterator[Claim]:
        """Other claims in which the person takes a slot."""
        for other in self.claims:
            if other is not claim and any(row.person == person and row.takes_a_slot for row in other.rows):
                yield other

    def judge(self, claim: Claim) -> None:
        """The rules on a roster that has just been read."""
        for row in claim.rows:
            others = list(self.others(claim, row.person))
            same = any(other.employer == claim.employer for other in others)
            row.result = "not" if same else "held" if others else "qualifies"

    def enter(self, claim: Claim) -> None:
        """Slots are taken: on the first submission and after every correction."""
        for row in claim.rows:
            if row.result == "not" or row.takes_a_slot:
                continue
            others = list(self.others(claim, row.person))
            if any(other.employer == claim.employer for other in others):
                row.result = "not"
            elif others:
                row.result, row.grant = "held", "held"
            else:
                row.grant = "claimed"

    def give_up(self, claim: Claim) -> None:
        """What was not paid is free again."""
        for row in claim.rows:
            if row.grant in ("claimed", "held", "approved"):
                row.grant = "freed"
            if row.owed in OWED_FROM_RESERVED:
                row.owed = "freed"

    def reviewed(self, claim: Claim) -> None:
        """Both offices have spoken."""
        back = "return" in claim.reviews.values()
        claim.reviews = {}
        if back:
            claim.at = "rework"
        else:
            held = [row for row in claim.rows if row.grant == "held" and not row.refused]
            claim.at = "finance_lift" if held else "recheck"

    def lift(self, claim: Claim) -> None:
        """财政 has spoken on the held."""
        for row in claim.rows:
            if row.grant == "held":
                both = all(row.words.get(office) == "agree" for office in ("hrss", "finance"))
                row.grant = "freed" if row.refused else "claimed" if both else "held"
        claim.at = "recheck"

    def granted(self, claim: Claim) -> list[Row]:
        """Whom 复核 would approve."""
        return [row for row in claim.rows if row.grant in ("claimed", "held") and not row.refused]

    def approve(self, claim: Claim) -> None:
        good = self.granted(claim)
        for row in claim.rows:
            if row in good:
                row.grant, row.owed = "approved", "reserved"
            elif row.grant in ("claimed", "held"):
                row.grant = "freed"
        claim.at = "publicity"

    def uphold(self, claim: Claim) -> None:
        for row in claim.rows:
            if row.owed in OWED_FROM_RESERVED:
                row.owed = "freed"
            if row.grant == "approved":
                row.grant = "claimed"
        claim.at, claim.objection = "recheck", False

    def payable(self, claim: Claim) -> None:
        """The 公示 has ended and nobody objects any more."""
        for row in claim.rows:
            if row.owed == "reserved":
                row.owed = "ready"
        claim.at = "paying"
        self.settle(claim)

    def settle(self, claim: Claim) -> None:
        """A claim whose payments have all come to their end is over."""
        if claim.at == "paying" and not any(
            row.owed in OWED_FROM_RESERVED or row.owed == "released" for row in claim.rows
        ):
            claim.at = "closed"
            claim.status = "paid" if any(row.owed == "paid" for row in claim.rows) else "nobody_left"

    def remove(self, row: Row) -> None:
        row.owed, row.grant, row.words["hrss"] = "freed", "freed", "refuse"

    # Money -----------------------------------------------------------------------------------------------------

    def sums(self, county: str) -> dict[str, int]:
        """Account → fen."""
        held = {"reserved": 0, "released": 0, "paid": 0}
        for claim in self.claims:
            for row in claim.rows if claim.county == county else ():
                account = "reserved" if row.owed in OWED_FROM_RESERVED else row.owed
                if account in held:
                    held[account] += AMOUNT
        return {"available": self.totals[county] - sum(held.values()), **held}

    def ready(self, county: str) -> list[tuple[Claim, Row]]:
        """What a batch may take: ready, and in no batch under way."""
        taken = {id(row) for batch in self.batches if batch.under_way for _, row in batch.rows}
        return [
            (claim, row)
            for claim in self.claims
            if claim.county == county
            for row in claim.rows
            if row.owed == "ready" and id(row) not in taken
        ]
