"""Releasing and grading the assignments."""
