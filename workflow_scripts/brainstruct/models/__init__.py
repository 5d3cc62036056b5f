"""Model families behind one small interface; importing this package loads no torch."""
