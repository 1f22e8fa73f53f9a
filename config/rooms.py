"""The rooms of the house, from the ground up."""

ROOMS: tuple[str, ...] = (
    "foundation",
    "audit",
    "accounts",
    "trials",
    "patients",
    "visits",
    "casebook",
    "eligibility",
    "treatment",
    "imaging",
    "qol",
    "safety",
    "endpoints",
    "reports",
)
