"""Real tools against the gateway: installed by a lock, run by the guide's own recipes, judged by what they print."""
