"""The schedule: packs to workers, records back."""
