"""Web sessions kept by browsers and the desktop app, read without disturbing them."""
