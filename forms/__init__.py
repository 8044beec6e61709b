"""Forms and printed documents: definitions as data, and the code that reads them."""
