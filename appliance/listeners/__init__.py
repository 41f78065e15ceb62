"""Where traffic enters: each listener reads just enough to judge, asks the gate, and does what the table says."""
