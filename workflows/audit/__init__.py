"""Past-tense events, the hash chain and its verification."""
