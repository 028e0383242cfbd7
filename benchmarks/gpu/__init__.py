"""What a GPU is asked in ten minutes: are the promises kept there, and how fast is it."""
