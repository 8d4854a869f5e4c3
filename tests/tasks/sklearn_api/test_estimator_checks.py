"""scikit-learn's own checks of estimators, as far as they apply to what reads text.

Its checks hand out numbers: here each row of them becomes a text, one word a number. Those that
cannot apply ask for an answer to what is not text (NaN, infinity, sparse and complex matrices, a
vector in place of a matrix), count columns (`n_features_in_`), want a model of a single label, or
want `ValueError` where every mistake here is an `InputError`:
check_n_features_in, check_n_features_in_after_fitting, check_fit1d, check_fit2d_1sample,
check_fit2d_predict1d, check_estimators_nan_inf, check_estimators_empty_data_messages,
check_estimator_sparse_*, check_classifiers_one_label, check_classifiers_train,
check_supervised_y_no_nan, check_requires_y_none, check_all_zero_sample_weights_error,
check_classifiers_one_label_sample_weights. check_sample_weight_equivalence cannot: a repeated text
changes the batches. The rest passes; the slower ones are left out.
"""

import numpy as np
import pytest
from sklearn.utils import estimator_checks

import rnnlp

from .conftest import FAST


class OfNumbers(rnnlp.TextClassifier):
    """Reads each row of a matrix as a text."""

    def __init__(self, config="sentiment", *, random_state=None, verbose=False, **settings):
        super().__init__(config, random_state=random_state, verbose=verbose, **settings)

    def fit(self, X, y, sample_weight=None):
        return super().fit(as_texts(X), y, sample_weight)

    def predict(self, X):
        return super().predict(as_texts(X))

    def predict_proba(self, X):
        return super().predict_proba(as_texts(X))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.one_d_array = True, False
        return tags


def as_texts(X):
    return [" ".join(f"w{n}x{value:.1f}" for n, value in enumerate(row)) for row in np.asarray(X)]


@pytest.mark.parametrize("estimator", [rnnlp.TextClassifier(), rnnlp.SequenceTagger()], ids=repr)
@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_mixin_order",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
def test_without_training(check, estimator):
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


@pytest.mark.parametrize(
    "check",
    [
        "check_estimators_unfitted",
        "check_dont_overwrite_parameters",
        "check_classifiers_regression_target",
        "check_sample_weights_not_an_array",
        "check_classifiers_multilabel_output_format_predict",
        "check_methods_subset_invariance",
    ],
)
def test_with_training(check):
    getattr(estimator_checks, check)("OfNumbers", OfNumbers(**FAST | {"trainer__max_epochs": 1}))
