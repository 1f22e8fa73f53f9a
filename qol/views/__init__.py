"""Views of the quality-of-life room."""
