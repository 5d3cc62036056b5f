"""Data sets of brain responses: one interface, and what implements it."""
