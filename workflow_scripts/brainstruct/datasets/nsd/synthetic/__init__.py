"""Writes a small data set in exactly the layout and formats of the NSD."""
