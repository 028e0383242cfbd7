"""Jobs: a folder of studies is run as one, each study in a run of its own."""
