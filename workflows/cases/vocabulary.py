"""The words that diagrams may use, as the lint knows them: our functions and operations, and what each argument names."""

from __future__ import annotations

from workflows.cases.offices import LEAD
from workflows.cases.payment_state import PAYMENTS_SETTLED
from workflows.cases.publicity import OBJECTION_UPHELD, OBJECTIONS_SETTLED
from workflows.engine import Argument, Signature, Vocabulary
from workflows.organisations.model import DEPARTMENT_KINDS

VOCABULARY = Vocabulary(
    functions={
        "outcome": Signature(1, 1, ("step",), returns="outcome"),
        "any_outcome": Signature(2, None, ("outcome",), rest="step", returns="boolean"),
        "visited": Signature(1, 1, ("step",), returns="boolean"),
        "decided": Signature(2, 2, ("decision", "output")),
        "answer": Signature(2, 2, ("step_or_form", None)),
        "open_objections": Signature(),
        "upheld_objections": Signature(),
        "param": Signature(1, 1, ("parameter",)),
        "publicity_end": Signature(returns="instant"),
        "days_from_now": Signature(2, 2, (None, "unit"), returns="instant"),
        "due_date": Signature(1, 1, ("step",), returns="instant"),
        "held_rows": Signature(),
        "payments_open": Signature(returns="boolean"),
        "paid_people": Signature(),
    },
    operations={
        "set_status": {"status": Argument(refers="status")},
        "issue_document": {"document": Argument(refers="document")},
        "open_publicity": {"kind": Argument(refers="publicity")},
        "close_publicity": {},
        "cancel_publicity": {},
        "register_workshop": {},
        "update_workshop": {"status": Argument()},
        "notify": {"to": Argument(refers="department"), "text": Argument()},
        "claim_grants": {},
        "lift_holds": {},
        "settle_rows": {},
        "reserve_funds": {},
        "unreserve_funds": {},
        "free_funds": {},
        "make_payable": {},
        "claim_days": {},
        "issue_slips": {},
        "close_slips": {},
        "post_publicity": {"step": Argument(refers="step"), "field": Argument()},
        "register_project": {"step": Argument(refers="step")},
        "enter_workers": {},
        "close_project": {},
        "settle_objection": {"result": Argument()},
        "pause_clock": {},
        "resume_clock": {},
    },
    messages=frozenset({OBJECTION_UPHELD, OBJECTIONS_SETTLED, PAYMENTS_SETTLED}),
    departments=frozenset({*DEPARTMENT_KINDS, LEAD, "employer", "public", "system"}),
)
