"""The trail to take away, and the program that checks it without Hilum."""
