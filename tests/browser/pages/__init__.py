"""Page objects: what a person sees and does on each page, by the words that stand on it."""
