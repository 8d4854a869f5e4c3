"""The ways of pooling by name; torch is not needed to know them."""

WAYS = ("last", "max", "mean", "attention")  # the order in the joined vector
