"""`make bench-gpu`: every mind and voice on one GPU, at true shapes."""
