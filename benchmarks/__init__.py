"""What the base costs: every figure is a ratio against a floor measured in the same run. ``script/bench`` runs them."""
