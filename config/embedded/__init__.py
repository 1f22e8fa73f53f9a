"""PostgreSQL and Valkey from their PyPI wheels, for a machine that has neither.

Each lives in a folder of `HILUM_DATA`, listens on a Unix socket only, and can be shared: every process that uses it
holds a lock on a file, and the last one to leave stops the server (the kernel lets go of the lock of a killed one).
"""
