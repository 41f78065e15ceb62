"""One reader for each family of list formats, and what they share (base.py). filters.parse chooses between them."""
