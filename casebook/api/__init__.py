"""The casebook for programs: forms and their items, recorded visits, queries."""
