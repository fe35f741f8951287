"""Samples of the operations of networks."""
