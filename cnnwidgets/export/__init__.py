"""Standalone pages."""
