"""A subject's casebook on paper: everything that is known of it, with its trail."""
