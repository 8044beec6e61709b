"""The approval system, without a web."""
