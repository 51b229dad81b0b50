"""Every method's loss once more, in torch, for autograd to differentiate: the other side of the comparison.

Written from the papers and not from ``dpo_core.methods``; training never uses it. Each takes the settings,
the log-ratios' parts (log π and log π_ref of the chosen w and the rejected l, [C], nats), token counts, and
z₀ for KTO; it returns the loss of labels on which all agree [C].
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, relu


@dataclass(frozen=True)
class TorchPairs:
    """Log-probs (nats) and token counts of C pairs."""

    w: Tensor
    v: Tensor
    ref_w: Tensor
    ref_v: Tensor
    len_w: Tensor
    len_v: Tensor
    z0: Tensor | float = 0.0

    @property
    def h(self) -> Tensor:
        return (self.w - self.v) - (self.ref_w - self.ref_v)

    def swapped(self) -> "TorchPairs":
        return TorchPairs(self.v, self.w, self.ref_v, self.ref_w, self.len_v, self.len_w, self.z0)


def softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ); torch's own is linear above 20."""
    return -logsigmoid(-x)


Settings = dict[str, Any]
Loss = Callable[[Settings, TorchPairs], Tensor]


def _dpo(s: Settings, p: TorchPairs) -> Tensor:
    return softplus(-s["beta"] * p.h) if s["sigma_weight"] else -s["beta"] * p.h


def _cdpo(s: Settings, p: TorchPairs) -> Tensor:
    return -(1 - s["epsilon"]) * logsigmoid(s["beta"] * p.h) - s["epsilon"] * logsigmoid(-s["beta"] * p.h)


def _robust(s: Settings, p: TorchPairs) -> Tensor:
    u, e = s["beta"] * p.h, s["epsilon"]
    return ((1 - e) * softplus(-u) - e * softplus(u)) / (1 - 2 * e)


def _ipo(s: Settings, p: TorchPairs) -> Tensor:
    return (p.h - 0.5 / s["beta"]).square()


def _hinge(s: Settings, p: TorchPairs) -> Tensor:
    return relu(1 - s["beta"] * p.h)


def _slic(s: Settings, p: TorchPairs) -> Tensor:
    return relu(s["delta"] - (p.w - p.v)) - s["lambda"] * p.w


def _dpop(s: Settings, p: TorchPairs) -> Tensor:
    return -logsigmoid(s["beta"] * (p.h - s["lambda"] * relu(p.ref_w - p.w)))


def _simpo(s: Settings, p: TorchPairs) -> Tensor:
    return softplus(s["gamma"] - s["beta"] * (p.w / p.len_w - p.v / p.len_v))


def _orpo(s: Settings, p: TorchPairs) -> Tensor:
    q_w, q_v = (p.w / p.len_w).exp(), (p.v / p.len_v).exp()
    ratio = (q_w / (1 - q_w)).log() - (q_v / (1 - q_v)).log()
    return -q_w.log() + s["lambda"] * softplus(-ratio)


def _kto(s: Settings, p: TorchPairs) -> Tensor:
    """The two replies of a pair by their own thumbs: the mean of both, as everything asked for counts one."""
    up = s["desirable"] * (1 - torch.sigmoid(s["beta"] * (p.w - p.ref_w - p.z0)))
    down = s["undesirable"] * (1 - torch.sigmoid(s["beta"] * (p.z0 - (p.v - p.ref_v))))
    return (up + down) / 2


def _unlikelihood(s: Settings, p: TorchPairs) -> Tensor:
    return s["alpha"] * p.v - p.w


def _sft(s: Settings, p: TorchPairs) -> Tensor:
    return -p.w


def _plackett_luce(s: Settings, p: TorchPairs) -> Tensor:
    worth = s["beta"] * torch.stack([p.w - p.ref_w, p.v - p.ref_v])
    return -worth.log_softmax(0)[0]  # the first pick of two; the second is certain


def _exo_pair(s: Settings, p: TorchPairs) -> Tensor:
    ours = torch.stack([s["beta"] * p.h, torch.zeros_like(p.h)]).log_softmax(0)
    e = torch.as_tensor(s["epsilon"], dtype=p.h.dtype)
    theirs = torch.stack([(1 - e).log(), e.log()])[:, None]
    return (ours.exp() * (ours - theirs)).sum(0)  # KL(ours ‖ label)


def _nca_pair(s: Settings, p: TorchPairs) -> Tensor:
    r_w, r_v = s["beta"] * (p.w - p.ref_w), s["beta"] * (p.v - p.ref_v)
    return softplus(-r_w) + (softplus(r_w) + softplus(r_v)) / 2


def _bco_pair(s: Settings, p: TorchPairs) -> Tensor:
    return softplus(-s["beta"] * (p.w - p.ref_w)) + softplus(s["beta"] * (p.v - p.ref_v))


def _sppo_hard(s: Settings, p: TorchPairs) -> Tensor:
    goal = 1 / (2 * s["beta"])
    return (p.w - p.ref_w - goal).square() + (p.v - p.ref_v + goal).square()


def _aot(s: Settings, p: TorchPairs) -> Tensor:
    u = s["beta"] * ((p.w - p.v).sort().values - (p.ref_w - p.ref_v).sort().values)
    return (1 - s["epsilon"]) * softplus(-u) + s["epsilon"] * softplus(u)


def _aot_unpaired(s: Settings, p: TorchPairs) -> Tensor:
    u = s["beta"] * ((p.w - p.ref_w).sort().values - (p.v - p.ref_v).sort().values)
    return (1 - s["epsilon"]) * softplus(-u) + s["epsilon"] * softplus(u)


def _apo_zero(s: Settings, p: TorchPairs) -> Tensor:
    return 1 - torch.sigmoid(s["beta"] * (p.w - p.ref_w)) + torch.sigmoid(s["beta"] * (p.v - p.ref_v))


def _apo_down(s: Settings, p: TorchPairs) -> Tensor:
    return torch.sigmoid(s["beta"] * (p.w - p.ref_w)) + 1 - torch.sigmoid(s["beta"] * p.h)


def _discopop(s: Settings, p: TorchPairs) -> Tensor:
    u = s["beta"] * p.h
    blend = torch.sigmoid(u / s["tau"])
    return (1 - blend) * softplus(-u) + blend * (-u).exp()


TORCH_LOSSES: dict[str, Loss] = {
    "dpo": _dpo,
    "ipo": _ipo,
    "cdpo": _cdpo,
    "robust": _robust,
    "hinge": _hinge,
    "slic": _slic,
    "dpop": _dpop,
    "simpo": _simpo,
    "orpo": _orpo,
    "kto": _kto,
    "unlikelihood": _unlikelihood,
    "sft": _sft,
    "plackett_luce": _plackett_luce,
    "exo_pair": _exo_pair,
    "nca_pair": _nca_pair,
    "bco_pair": _bco_pair,
    "sppo_hard": _sppo_hard,
    "aot": _aot,
    "aot_unpaired": _aot_unpaired,
    "apo_zero": _apo_zero,
    "apo_down": _apo_down,
    "discopop": _discopop,
}


def torch_loss(name: str, settings: Settings, pairs: TorchPairs, agreement: Tensor) -> Tensor:
    """p·L(w, l) + (1−p)·L(l, w) [C]; methods that sort all pairs mix them by the mean share."""
    loss = TORCH_LOSSES[name]
    if name == "aot_unpaired" or name == "aot":
        share = agreement.mean() * (1 - 2 * settings["epsilon"]) + settings["epsilon"]
        return loss({**settings, "epsilon": 1 - share}, pairs)
    return agreement * loss(settings, pairs) + (1 - agreement) * loss(settings, pairs.swapped())


def torch_rewards(name: str, settings: Settings, pairs: TorchPairs) -> Tensor:
    """Implicit rewards of the chosen and the rejected replies [2, C]; per token without a reference."""
    beta = settings.get("beta", 1.0)
    if name in ("slic", "simpo", "orpo"):
        return beta * torch.stack([pairs.w / pairs.len_w, pairs.v / pairs.len_v])
    return beta * torch.stack([pairs.w - pairs.ref_w, pairs.v - pairs.ref_v])
