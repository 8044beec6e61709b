"""The words of the house, as the cases room would hand them down."""

from __future__ import annotations

from workflows.engine import Argument, Signature, Vocabulary

VOCABULARY = Vocabulary(
    functions={
        "outcome": Signature(1, 1, ("step",), returns="outcome"),
        "any_outcome": Signature(2, None, ("outcome",), "step", returns="boolean"),
        "visited": Signature(1, 1, ("step",), returns="boolean"),
        "decided": Signature(2, 2, ("decision", "output")),
        "answer": Signature(2, 2, ("step_or_form", None)),
        "open_objections": Signature(),
        "param": Signature(1, 1, ("parameter",)),
        "publicity_end": Signature(returns="instant"),
        "days_from_now": Signature(2, 2, (None, "unit"), returns="instant"),
        "due_date": Signature(1, 1, ("step",), returns="instant"),
    },
    operations={
        "set_status": {"status": Argument(refers="status")},
        "issue_document": {"document": Argument(refers="document")},
        "open_publicity": {"kind": Argument(refers="publicity")},
        "close_publicity": {},
        "cancel_publicity": {},
        "register_workshop": {},
        "notify": {"to": Argument(), "text": Argument(required=False)},
    },
    messages=frozenset({"objection_upheld", "objections_settled"}),
    departments=frozenset({"employer", "township", "hrss", "rural", "system"}),
    predicates=frozenset({"applicant"}),
)
