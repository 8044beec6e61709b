"""Past-tense events, the hash chain and its verification."""

from workflows.audit.record import Chain, record, stream

__all__ = ["Chain", "record", "stream"]
