"""A decoder that looks at some target tokens only: the same as ruling the others out."""

import pytest
import torch

from .test_decoder import LEXICAL, PICKS, SOURCES, VOCABULARY, WORD, encoded, make

# Of three sentences, 0 behind them.
CANDIDATES = torch.tensor([[3, 5, 7, 10], [3, 6, 0, 0], [3, 4, 5, 0]])
TIED = pytest.mark.parametrize("tied", ["output", "none"])


def begun(decoder, words=0):
    """The state of two rows of each sentence, of all tokens and of the candidates."""
    state = decoder.begin(encoded(words=words), SOURCES)
    rows = torch.arange(3).repeat_interleave(2)
    return state.reorder(rows), decoder.narrowed(state, CANDIDATES).reorder(rows)


def ruled_out(log_probs, rows):
    """Log probabilities of the candidates of each row's sentence where all others are ruled out."""
    ids = CANDIDATES[rows]
    return log_probs.gather(1, ids).masked_fill(ids == 0, -torch.inf).log_softmax(1)


@TIED
@LEXICAL
def test_the_others_are_ruled_out(tied, words):
    decoder = make(tie_embeddings=tied, word_size=words)
    tokens, rows = torch.tensor([3, 7, 1, 3, 5, 4]), torch.tensor([0, 0, 1, 1, 2, 2])
    everything, some = (decoder.follow(tokens, state) for state in begun(decoder, words))
    torch.testing.assert_close(some.log_probs, ruled_out(everything.log_probs, rows))
    torch.testing.assert_close(some.attention, everything.attention)
    again = [decoder.follow(tokens, step.state).log_probs for step in (everything, some)]
    torch.testing.assert_close(again[1], ruled_out(again[0], rows))


@pytest.mark.parametrize(("index", "sentences"), PICKS)
def test_rows_keep_the_candidates_of_their_sentences(index, sentences):
    decoder = make(word_size=WORD)
    chosen = torch.tensor(index)
    everything, some = (state.reorder(chosen) for state in begun(decoder, WORD))
    tokens = torch.arange(len(index)) % VOCABULARY
    wanted = ruled_out(decoder.follow(tokens, everything).log_probs, chosen // 2)
    torch.testing.assert_close(decoder.follow(tokens, some).log_probs, wanted)
