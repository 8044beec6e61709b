"""People, employers, workshops: what is known beyond one case."""
