"""Background work: the queue's worker, the reconciler, the canaries."""
