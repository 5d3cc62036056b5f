"""What lies on disk: labelled arrays, tables and text, published whole, known by checksums."""
