"""Exports that prove themselves: one file per form, codelists, a data dictionary, and a manifest with digests."""
