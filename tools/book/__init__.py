"""The book: what the course is, as a site that any static server can serve."""
