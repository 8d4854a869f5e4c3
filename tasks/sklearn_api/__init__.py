"""Training and prediction with the interface of scikit-learn's estimators.

Which tasks there are and how they learn is nothing of this room: it hands `rnnlp.fit` what
scikit-learn hands it, and gives back what scikit-learn wants to see.
"""

from rnnlp.data.errors import InputError

try:
    import sklearn  # noqa: F401
except ImportError as error:
    raise InputError(
        "TextClassifier and SequenceTagger need scikit-learn: pip install 'rnnlp[sklearn]'"
    ) from error
