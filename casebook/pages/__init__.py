"""What the casebook's pages show, as frozen rows made in a constant number of statements."""
