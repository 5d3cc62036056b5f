"""Flatmaps, bars and profiles; one look for all."""
