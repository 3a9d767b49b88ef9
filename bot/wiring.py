"""Composition root: the only place that knows concrete adapters; no logic."""
