"""Pull requests as durable jobs: reviewed, settled against earlier heads, published once; commands and reactions."""
