"""Pure rules of the casebook: reading input, showing, deriving, checking, projecting to facts."""
