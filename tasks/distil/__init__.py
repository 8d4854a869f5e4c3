"""Distillation: a teacher's answers become the training data of a student (Hinton et al. 2015)."""
