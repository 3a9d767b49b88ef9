"""Where a worker's commands run: bubblewrap, or nothing at all when the operator says so, and the probes that choose."""
