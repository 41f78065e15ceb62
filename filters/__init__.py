"""The decision point: values in, a Verdict out. No I/O, no clock, no logging, nothing of ours outside this folder."""
