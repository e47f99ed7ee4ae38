"""Phones with sound cards that are none, on a network as bad as asked; `scripts/bench-audio` is the command."""
