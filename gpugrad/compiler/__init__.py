"""Whole programs: what a function computes is recorded once, and then run without it."""
