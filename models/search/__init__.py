"""Search: beam, sampling, constraints, hypotheses, top-k."""
