"""The rooms of the house, and the floor that each stands on."""

from collections.abc import Mapping

FLOORS: Mapping[str, float] = {
    "logic": 0,
    "foundation": 1,
    "audit": 1.5,  # above foundation, on the same floor of the plan
    "accounts": 2,
    "trials": 3,
    "patients": 4,
    "visits": 5,
    "casebook": 6,
    "eligibility": 7,
    "treatment": 7,
    "imaging": 7,
    "qol": 7,
    "safety": 7,
    "endpoints": 8,
    "reports": 9,
    "config": 10,
}
ROOMS: tuple[str, ...] = tuple(name for name in FLOORS if name not in {"logic", "config"})
