"""`make run`: everything that Hilum needs, in the foreground of one terminal."""
