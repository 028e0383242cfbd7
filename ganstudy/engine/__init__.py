"""The engine: trials of one shape, stacked along a leading axis and trained as one program."""
