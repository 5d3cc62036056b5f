"""Asks, before anything is computed, whether a study can run here.

Everything is looked at and reported at once; only headers and small files are
read, and nothing is written but an empty file that proves a folder writable.
"""
