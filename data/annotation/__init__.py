"""Exports of annotation tools: each in a module of its own, and the table that recognises them."""
