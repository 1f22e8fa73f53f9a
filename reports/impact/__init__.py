"""What an amendment would do to the subjects who are there, worked out and never written."""
