"""Heads that tag (N to N): CRF, softmax, transitions, Viterbi."""
