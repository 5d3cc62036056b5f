"""Voxelwise encoding models: splits, ridge regression, scores, ceilings, statistics."""
