"""Data only, with sources and dates: categories, policies, lists, and facts. No code."""
