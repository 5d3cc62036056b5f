"""What the models said, as tables and as a page; knows no models."""
