"""Stage 15: what a review says goes to a forge, once."""
