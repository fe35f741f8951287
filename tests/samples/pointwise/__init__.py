"""Samples of elementwise operations."""
