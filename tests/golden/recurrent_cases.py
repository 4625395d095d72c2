"""Recurrent layers whose outputs are compared with real Keras.

A case is ``(make(layers), input shape, {"mask": a mask is given, "states": sizes of the initial states})``.
"""

from __future__ import annotations

from typing import Any, Callable

Case = tuple[Callable[[Any], Any], tuple[int, ...], dict[str, Any]]
X = (3, 5, 4)
MASK = [[1, 1, 1, 1, 1], [0, 1, 1, 0, 1], [1, 1, 0, 0, 0]]


def _of(name: str, **kwargs: Any) -> Callable[[Any], Any]:
    return lambda L: getattr(L, name)(6, **kwargs)


CASES: dict[str, Case] = {}
for _name, _states in (("SimpleRNN", [6]), ("LSTM", [6, 6]), ("GRU", [6])):
    _low = _name.lower()
    CASES.update({
        _low: (_of(_name), X, {}),
        f"{_low}_sequences": (_of(_name, return_sequences=True), X, {}),
        f"{_low}_all": (_of(_name, return_sequences=True, return_state=True), X, {"states": _states}),
        f"{_low}_backwards": (_of(_name, return_sequences=True, return_state=True, go_backwards=True), X, {}),
        f"{_low}_masked": (_of(_name, return_sequences=True, return_state=True), X, {"mask": True}),
        f"{_low}_masked_last": (_of(_name), X, {"mask": True, "states": _states}),
        f"{_low}_masked_backwards": (_of(_name, return_sequences=True, go_backwards=True), X, {"mask": True}),
        f"{_low}_masked_zero": (_of(_name, return_sequences=True, zero_output_for_mask=True), X, {"mask": True}),
        f"{_low}_no_bias": (_of(_name, use_bias=False), X, {}),
        f"{_low}_relu": (_of(_name, activation="relu", return_state=True), X, {}),
        f"{_low}_gelu": (_of(_name, activation="gelu", return_sequences=True), X, {"mask": True}),
        f"{_low}_unroll": (_of(_name, unroll=True, return_sequences=True), X, {}),
        f"bidirectional_{_low}": (lambda L, f=_of(_name, return_sequences=True): L.Bidirectional(f(L)), X, {}),
        f"bidirectional_{_low}_masked": (
            lambda L, f=_of(_name, return_sequences=True): L.Bidirectional(f(L)), X, {"mask": True}),
        f"bidirectional_{_low}_last": (
            lambda L, f=_of(_name): L.Bidirectional(f(L), merge_mode="ave"), X, {"mask": True}),
        f"bidirectional_{_low}_states": (
            lambda L, f=_of(_name, return_state=True): L.Bidirectional(f(L), merge_mode="mul"), X,
            {"states": _states * 2}),
    })  # fmt: skip
for _cell in ("SimpleRNN", "LSTM", "GRU"):
    CASES[f"rnn_{_cell.lower()}_cell"] = (
        lambda L, n=f"{_cell}Cell": L.RNN(getattr(L, n)(6), return_sequences=True, return_state=True), X, {"mask": True}
    )  # fmt: skip
CASES.update({
    "lstm_plain_bias": (_of("LSTM", unit_forget_bias=False, recurrent_activation="hard_sigmoid"), X, {}),
    "gru_reset_before": (_of("GRU", reset_after=False, return_sequences=True), X, {"mask": True}),
    "gru_reset_before_relu": (_of("GRU", reset_after=False, activation="relu", use_bias=False), X, {}),
    "gru_linear": (_of("GRU", activation=None, recurrent_activation="sigmoid"), X, {}),
    "bidirectional_none": (
        lambda L: L.Bidirectional(L.GRU(3, return_sequences=True, return_state=True), merge_mode=None), X, {}),
    "bidirectional_two": (
        lambda L: L.Bidirectional(L.LSTM(3), merge_mode="sum",
                                  backward_layer=L.LSTM(3, activation="relu", go_backwards=True)), X, {}),
    "stacked": (lambda L: L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True, return_state=True), X, {}),
    "stacked_backwards": (lambda L: L.RNN([L.LSTMCell(4), L.SimpleRNNCell(3)], go_backwards=True), X, {}),
    "stacked_same_masked": (
        lambda L: L.RNN([L.LSTMCell(4), L.LSTMCell(4)], return_sequences=True), X, {"mask": True}),
    "time_distributed": (lambda L: L.TimeDistributed(L.Dense(2)), X, {}),
    "time_distributed_conv": (lambda L: L.TimeDistributed(L.Conv2D(2, 3)), (2, 3, 5, 5, 2), {}),
    "time_distributed_lstm": (lambda L: L.TimeDistributed(L.LSTM(3)), (2, 3, 4, 2), {}),
    "conv_lstm1d": (lambda L: L.ConvLSTM1D(2, 3), (2, 3, 6, 2), {}),
    "conv_lstm2d": (lambda L: L.ConvLSTM2D(2, 3, return_sequences=True, return_state=True), (2, 3, 6, 5, 2), {}),
    "conv_lstm2d_same": (
        lambda L: L.ConvLSTM2D(2, (3, 2), padding="same", strides=2, go_backwards=True), (2, 3, 6, 5, 2), {}),
    "conv_lstm2d_dilated": (lambda L: L.ConvLSTM2D(2, 2, dilation_rate=2, activation="relu"), (2, 3, 6, 5, 2), {}),
    "conv_lstm3d": (lambda L: L.ConvLSTM3D(2, 2, use_bias=False), (1, 2, 4, 4, 3, 2), {}),
})  # fmt: skip
