"""A cell of one's own, a leaky integrator: h = 0.9 h' + 0.1 tanh(W x + b + V h' + c).

rnnlp fit --config ner --plugin leaky.py --model.encoder.cell leaky
"""

from torch.nn import functional as F

from rnnlp.models import Cell, State, register_cell


def step(inputs, weights, state):
    h = state.hidden[0]
    of_input = F.linear(inputs, weights.input, weights.input_bias)
    new = (of_input + F.linear(h, weights.hidden, weights.hidden_bias)).tanh()
    return State((0.9 * h + 0.1 * new).unsqueeze(0))


register_cell(Cell(name="leaky", title="leaky integrator", gates=1, step=step))
