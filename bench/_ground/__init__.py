"""What measurements stand on: servers that are never the bottleneck, load, processor time and memory of processes."""
