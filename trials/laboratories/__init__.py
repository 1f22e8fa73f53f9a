"""Laboratories of the sites and their reference ranges: kept, imported, exported, looked up."""
