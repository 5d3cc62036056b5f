"""What the columns of a study's tables mean."""
