"""Divisions, departments, users, posts and permissions."""
