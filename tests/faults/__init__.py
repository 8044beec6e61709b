"""Web and worker as real processes that are killed, cut off, starved of disk and told wrong times."""
