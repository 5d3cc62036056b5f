"""What blocks of the configuration have in common, whoever's they are."""
