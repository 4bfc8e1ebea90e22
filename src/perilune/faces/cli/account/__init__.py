"""What `perilune accounts` is made of: looking up, showing, testing and changing accounts."""
