"""Comparison of cells: equal budgets, measured cost, a report."""
