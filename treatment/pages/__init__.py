"""What the pages of this room show, worked out before any template."""
