"""Pure rules of the room: what makes a protocol consistent."""
