"""The demonstration: two sites, their people, and twelve subjects at different stages, all through the services."""
