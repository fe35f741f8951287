"""The operations, declared: what each computes and what its gradient is."""
