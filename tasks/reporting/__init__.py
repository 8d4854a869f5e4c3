"""Reports: model cards, score tables, learning curves, pictures, pages."""
