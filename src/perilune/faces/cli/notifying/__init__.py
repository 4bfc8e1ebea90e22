"""Parts of `perilune notify`."""
