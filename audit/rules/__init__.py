"""What follows from events: pure, without a database."""
