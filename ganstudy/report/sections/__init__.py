"""Sections of the report, each with its template beside it."""
