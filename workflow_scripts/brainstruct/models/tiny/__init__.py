"""Builds complete tiny checkpoints in the layouts that the hub serves."""
