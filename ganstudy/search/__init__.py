"""Searches: which trials a study needs."""
