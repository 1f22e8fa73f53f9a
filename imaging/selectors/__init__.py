"""Reading in the imaging room."""
