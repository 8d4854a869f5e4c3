"""The recurrent encoder: layers, directions and dropout around the recurrences.

Its parameters carry the names, shapes and order that `torch.nn.RNN`, `LSTM` and `GRU` give theirs,
so that state dicts go both ways; those of minGRU and SSRU are named alike. It does not embed tokens
(`models/embeddings/token.py` does) and knows no task.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rnnlp.models.layers.dropout import Dropout, LockedDropout, drop_out
from rnnlp.models.recurrence.cell import State, Weights
from rnnlp.models.recurrence.cells import find_cell
from rnnlp.models.recurrence.dispatch import recur
from rnnlp.models.recurrence.initialization import Initial

from .base import EncoderOutput


class Encoder(nn.Module):
    """Stacked recurrent layers over a padded batch of sequences.

    Args:
        input_size: Width of an embedded token.
        cell: The recurrence: "rnn" (tanh), "rnn_relu", "lstm", "gru", "mingru" or "ssru".
        hidden_size: Width of the state of each direction.
        num_layers: How many recurrences lie on top of each other.
        bidirectional: Whether each layer also reads from right to left.
        dropout: Share of the inputs of the second and further layers set to zero in training.
        locked_dropout: Whether `dropout` keeps its mask over time (Gal & Ghahramani 2016).
        weight_dropout: Share of the recurrent weights set to zero in training, anew for each
            batch ("weight drop", Merity et al. 2018); minGRU and SSRU have none.
        residual: Whether a layer's input is added to its output where their widths agree.
        layer_norm: Whether the output of each layer is normalised (Ba et al. 2016), before the
            residual connection is added.
        look_back: Whether the second and further layers also read the states below before the
            token, each unit with a weight of its own, beside those after it. So the gates of minGRU
            and SSRU, which read no state, can tell what a token adds from what came before it.
        orthogonal: Whether the recurrent weights of each gate start as an orthogonal matrix (Saxe
            et al. 2014), which neither shrinks nor stretches the state.
        forget_bias: What the bias of the gate that keeps the old state starts from (Jozefowicz et
            al. 2015 advise 1): the forget gate of LSTM and SSRU, the update gate of GRU and minGRU.
            None for a small random number, as in torch.nn.
        memory_span: Starts these biases so that the units keep what they read for 1 to this many
            tokens ("chrono initialisation", Tallec & Ollivier 2018); instead of `forget_bias`.
    """

    def __init__(
        self,
        *sizes: int,
        input_size: int = 0,
        cell: str = "lstm",
        hidden_size: int = 256,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        locked_dropout: bool = False,
        weight_dropout: float = 0.0,
        residual: bool = False,
        layer_norm: bool = False,
        look_back: bool = False,
        orthogonal: bool = False,
        forget_bias: float | None = None,
        memory_span: int | None = None,
    ) -> None:
        super().__init__()
        if sizes:
            named = ", ".join(
                f"{name}={size}"
                for name, size in zip(("input_size", "hidden_size"), sizes, strict=False)
            )
            raise TypeError(f"sizes are given by name: write {type(self).__name__}({named})")
        kind = find_cell(cell)
        for name, size in (
            ("input_size", input_size),
            ("hidden_size", hidden_size),
            ("num_layers", num_layers),
        ):
            if size < 1:
                raise ValueError(f"{name} must be at least 1, not {size}")
        for name, share in (("dropout", dropout), ("weight_dropout", weight_dropout)):
            if not 0.0 <= share < 1.0:
                raise ValueError(f"{name} must lie in [0, 1), not {share}")
        if not kind.recurrent and weight_dropout:
            raise ValueError(
                f"weight_dropout is {weight_dropout}, but {kind.title} has no recurrent weights: "
                "set it to 0, or take another cell"
            )
        if look_back and num_layers == 1:
            raise ValueError(
                "look_back is for the second and further layers: set num_layers to 2 or more"
            )
        self.initial = Initial(orthogonal, forget_bias, memory_span)
        self.initial.check(kind)
        self.input_size = input_size
        self.cell = cell
        self.kind = kind
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.weight_dropout = weight_dropout
        self.residual = residual
        self.look_back = look_back
        self.between = LockedDropout(dropout) if locked_dropout else Dropout(dropout)
        self.norms = nn.ModuleList(
            nn.LayerNorm(self.output_size) for _ in range(num_layers if layer_norm else 0)
        )
        rows = kind.gates * hidden_size
        for layer in range(num_layers):
            width = self.output_size if layer else input_size
            if layer and look_back:
                self.register_parameter(f"look_back_l{layer}", nn.Parameter(torch.empty(width)))
            for suffix in self._suffixes(layer):
                for name, shape in (
                    ("weight_ih", (rows, width)),
                    ("weight_hh", (rows, hidden_size)),
                    ("bias_ih", (rows,)),
                    ("bias_hh", (rows,)),
                ):
                    if kind.recurrent or name.endswith("_ih"):
                        self.register_parameter(name + suffix, nn.Parameter(torch.empty(shape)))
        self.reset_parameters()

    @property
    def directions(self) -> int:
        """How many directions each layer has: 1 or 2."""
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Width of the states this encoder returns."""
        return self.directions * self.hidden_size

    @property
    def finishes(self) -> bool:
        """Whether a layer gives anything but its states; see `finish`."""
        return self.kind.output is not None or len(self.norms) > 0 or self.residual

    def reset_parameters(self) -> None:
        """Draw all weights anew: as torch.nn does, but for what `initial` says."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for name, parameter in self.named_parameters(recurse=False):
            if name.startswith(("weight", "bias")):
                nn.init.uniform_(parameter, -bound, bound)
            elif name.startswith("look_back"):
                nn.init.normal_(parameter)  # some add, some take away; 0.3 of it learned worse
        for layer in range(self.num_layers):
            for suffix in self._suffixes(layer):
                self.initial.apply(self.kind, self._direction(suffix))
        for norm in self.norms:
            if isinstance(norm, nn.LayerNorm):
                norm.reset_parameters()

    def forward(
        self, embedded: Tensor, lengths: Tensor | Sequence[int], initial: State | None = None
    ) -> EncoderOutput:
        """Encode a padded batch.

        Args:
            embedded: Embedded tokens [batch, time, input_size]; what stands at padding is ignored.
            lengths: Number of tokens of each sequence [batch], int64, at least 1; on the CPU, or it
                is brought there.
            initial: State to start from, shaped as `final`; zeros when absent.

        Returns:
            The states of the last layer and the final state of every layer.

        Raises:
            ValueError: Shapes that do not fit each other, or a length outside 1 to time.
        """
        lengths = torch.as_tensor(lengths).cpu()
        self._check(embedded, lengths)
        d = self.directions
        before: Tensor | None = None
        states, finals = embedded, []
        for layer in range(self.num_layers):
            inputs = self.between(states) if layer else states
            begin = None if initial is None else _slice(initial, layer * d, d)
            read = inputs
            if before is not None:
                read = self.with_before(layer, inputs, self.between(before))
            states, final = recur(
                self.kind, read, lengths, self.weights(layer), begin
            )  # [batch, time, directions * hidden_size]
            if self.look_back and layer + 1 < self.num_layers:
                before = states_before(states, lengths, begin, self.directions)
            states = self.finish(layer, inputs, states)
            finals.append(final)
        if self.finishes:
            position = torch.arange(embedded.shape[1], device=states.device)
            outside = position >= lengths.to(states.device).unsqueeze(1)  # [batch, time]
            states = states.masked_fill(outside.unsqueeze(2), 0.0)
        return EncoderOutput(states, _join(finals))

    def start(self, batch: int) -> State:
        """The state before the first token: zeros for `batch` sequences."""
        like = self.weights(0)[0].input
        hidden = like.new_zeros(self.num_layers * self.directions, batch, self.hidden_size)
        return State(hidden, torch.zeros_like(hidden) if self.kind.has_cell else None)

    def step(self, embedded: Tensor, state: State) -> tuple[Tensor, State]:
        """Read one token of every sequence: what decoders, generation and streaming call.

        Gives what `forward` gives for that token (in training, plain and locked dropout draw
        their masks anew at every call).

        Args:
            embedded: One embedded token of each sequence [batch, input_size].
            state: The state before it: `start(batch)`, or what the step before returned.

        Returns:
            The state of the last layer [batch, output_size] and the state to pass on.

        Raises:
            ValueError: An encoder that also reads from right to left.
        """
        if self.bidirectional:
            raise ValueError("a bidirectional encoder needs the whole sequence: it has no step")
        outputs, finals = embedded, []
        for layer in range(self.num_layers):
            inputs = self.between(outputs.unsqueeze(1)).squeeze(1) if layer else outputs
            read = inputs
            if layer and self.look_back:
                before = self.between(state.hidden[layer - 1].unsqueeze(1)).squeeze(1)
                read = self.with_before(layer, inputs, before)
            (weights,) = self.weights(layer)
            after = self.kind.step(read, weights, _slice(state, layer, 1))
            outputs = self.finish(layer, inputs, after.hidden[0])
            finals.append(after)
        return outputs, _join(finals)

    def extra_repr(self) -> str:
        """The sizes, for print(encoder)."""
        return (
            f"{self.input_size}, {self.hidden_size}, cell={self.cell}, layers={self.num_layers}, "
            f"bidirectional={self.bidirectional}, weight_dropout={self.weight_dropout}, "
            f"residual={self.residual}"
        )

    def finish(self, layer: int, inputs: Tensor, states: Tensor) -> Tensor:
        """The cell's output, layer norm and residual connection, where there are any.

        Args:
            layer: Number of the layer, from 0.
            inputs: What it read, `[..., input_size]`.
            states: What it gave, `[..., directions * hidden_size]`.
        """
        if self.kind.output is not None:
            states = self.kind.output(states)
        if len(self.norms):
            states = self.norms[layer](states)
        if self.residual and inputs.shape[-1] == states.shape[-1]:
            states = states + inputs
        return states

    def with_before(self, layer: int, inputs: Tensor, before: Tensor) -> Tensor:
        """What a layer reads that looks back.

        Args:
            layer: Number of the layer, from 1.
            inputs: What the layer below gave, `[..., output_size]`.
            before: The states below before each token, of the same shape.
        """
        return inputs + before * self.before_weight(layer)

    def before_weight(self, layer: int) -> Tensor:
        """What a layer from 1 on, which looks back, weighs the states below with."""
        weight: Tensor = getattr(self, f"look_back_l{layer}")
        return weight

    def _suffixes(self, layer: int) -> list[str]:
        return [f"_l{layer}", f"_l{layer}_reverse"][: self.directions]

    def weights(self, layer: int) -> list[Weights]:
        """The parameters of a layer, one for each direction."""
        weights = [self._direction(suffix) for suffix in self._suffixes(layer)]
        if self.weight_dropout and self.training:
            rate = self.weight_dropout
            weights = [one._replace(hidden=drop_out(one.hidden, rate)) for one in weights]
        return weights

    def _direction(self, suffix: str) -> Weights:
        of_input = getattr(self, "weight_ih" + suffix)
        input_bias = getattr(self, "bias_ih" + suffix)
        if not self.kind.recurrent:
            none = of_input.new_empty(0, self.hidden_size)
            return Weights(of_input, none, input_bias, of_input.new_empty(0))
        hidden, hidden_bias = getattr(self, "weight_hh" + suffix), getattr(self, "bias_hh" + suffix)
        return Weights(of_input, hidden, input_bias, hidden_bias)

    def _check(self, embedded: Tensor, lengths: Tensor) -> None:
        if embedded.dim() != 3 or embedded.shape[2] != self.input_size:
            raise ValueError(
                f"expected embedded tokens [batch, time, {self.input_size}], "
                f"got {list(embedded.shape)}"
            )
        if lengths.shape != embedded.shape[:1]:
            raise ValueError(
                f"expected {embedded.shape[0]} lengths for {embedded.shape[0]} sequences, "
                f"got shape {list(lengths.shape)}"
            )
        shortest, longest = (int(bound) for bound in torch.aminmax(lengths))
        if shortest < 1 or longest > embedded.shape[1]:
            raise ValueError(
                f"lengths must lie in 1 to {embedded.shape[1]} (the padded time), "
                f"found {shortest} to {longest}"
            )


def states_before(states: Tensor, lengths: Tensor, start: State | None, directions: int) -> Tensor:
    """The states before each token, those of each direction in the order in which it reads.

    Args:
        states: Those after each token, `[batch, time, directions * hidden_size]`.
        lengths: Number of tokens of each sequence, `[batch]`.
        start: The state that each direction starts from; None for zeros.
        directions: 1, or 2 for forwards and backwards.

    Returns:
        `[batch, time, directions * hidden_size]`; any values at padding.
    """
    ahead, *backwards = states.chunk(directions, 2)
    zeros = ahead.new_zeros(directions, len(ahead), ahead.shape[2])
    first = zeros if start is None else start.hidden.to(states.dtype)
    before = [torch.cat((first[0].unsqueeze(1), ahead[:, :-1]), 1)]
    for back in backwards:
        last = torch.arange(back.shape[1]) == lengths.unsqueeze(1) - 1  # [batch, time]
        later = F.pad(back[:, 1:], (0, 0, 0, 1))
        last = last.to(states.device).unsqueeze(2)
        before.append(torch.where(last, first[1].unsqueeze(1), later))
    return torch.cat(before, 2)


def _slice(state: State, begin: int, size: int) -> State:
    if size == len(state.hidden):
        return state
    cell = None if state.cell is None else state.cell[begin : begin + size]
    return State(state.hidden[begin : begin + size], cell)


def _join(states: list[State]) -> State:
    if len(states) == 1:
        return states[0]
    cells = [state.cell for state in states if state.cell is not None]
    return State(torch.cat([state.hidden for state in states]), torch.cat(cells) if cells else None)
