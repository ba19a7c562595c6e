"""Packages for science, built for sandboxes: recipes, and what `make science` does with them."""
