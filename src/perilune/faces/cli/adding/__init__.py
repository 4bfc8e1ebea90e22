"""What `perilune add` is made of: asking for a key, telling what the hosts said, saving the account."""
