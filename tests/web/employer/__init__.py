"""Employers' pages."""
