"""Pure kernels: Arrow or NumPy in, Arrow or NumPy out; no database, no clock, no network."""
