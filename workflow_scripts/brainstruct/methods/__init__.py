"""What was done, as text to quote: from the provenance of the results."""
