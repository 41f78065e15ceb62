"""The composition root: the only place that constructs. One module for each process, and the supervisor of them all."""
