"""Finished results in the forms that other tools open: a BIDS derivatives dataset."""
