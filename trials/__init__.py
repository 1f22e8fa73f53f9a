"""Trials, sites and protocol versions: the protocol as data."""
