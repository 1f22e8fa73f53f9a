"""Reading treatment: what is recorded and found, who got which arm, what waits."""
