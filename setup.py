"""Finds the packages: setuptools cannot, where the package's own folder has another name."""

from setuptools import find_packages, setup

ROOMS = find_packages(include=["data*", "models*", "tasks*", "configs*"])
setup(packages=["rnnlp", *(f"rnnlp.{room}" for room in ROOMS)])
