"""Executors: where packs are trained; one file each."""
