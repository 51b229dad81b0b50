"""The fold once more, at 40 digits and from the JSON document: shares no code with dpo_core."""

import mpmath
from mpmath import mpf


def run(document, digits=40):
    """log π [T+1][prompt][reply] and the metrics of each step, as mpmath numbers."""
    with mpmath.workdps(digits):
        return _run(document)


def _log_softmax(z):
    total = mpmath.log(mpmath.fsum(mpmath.exp(x) for x in z))
    return [x - total for x in z]


def _changed(change, comparisons, beta, rate, sigma):
    """The settings after one change; one of a comparison is made in place."""
    if "flip" in change:
        c = comparisons[change["flip"]]
        c["chosen"], c["rejected"] = c["rejected"], c["chosen"]
    elif "agreement" in change:
        comparisons[change["comparison"]]["agreement"] = mpf(change["agreement"])
    return (
        mpf(change["beta"]) if "beta" in change else beta,
        mpf(change["learning_rate"]) if "learning_rate" in change else rate,
        change.get("sigma_weight", sigma),
    )


def _run(document):
    prompts = document["prompts"]
    comparisons = [dict(c, agreement=mpf(c.get("agreement", 1.0))) for c in document["comparisons"]]
    beta, sigma = mpf(document["objective"]["beta"]), document["objective"]["sigma_weight"]
    rate = mpf(document["optimizer"]["learning_rate"])
    initial = [[mpmath.log(mpf(p)) for p in prompt["reference"]] for prompt in prompts]
    reference = [_log_softmax(z) for z in initial]
    features = [prompt.get("features") for prompt in prompts]
    theta = [mpf(0)] * len(features[0][0]) if features[0] else None
    logits = [list(z) for z in initial]
    steps = []
    for t in range(document["steps"] + 1):
        for change in document["interventions"]:  # in the order made; only those of this step
            if change["step"] == t:
                beta, rate, sigma = _changed(change, comparisons, beta, rate, sigma)
        if theta is not None:
            logits = [
                [z + mpmath.fdot(vector, theta) for z, vector in zip(zs, vectors, strict=True)]
                for zs, vectors in zip(initial, features, strict=True)
            ]
        log_p = [_log_softmax(z) for z in logits]
        pull = [[mpf(0)] * len(z) for z in logits]
        losses, chosen, rejected, weights = [], [], [], []
        for c in comparisons:
            i, w, l, p = c["prompt"], c["chosen"], c["rejected"], c["agreement"]  # noqa: E741
            r_w = beta * (log_p[i][w] - reference[i][w])
            r_l = beta * (log_p[i][l] - reference[i][l])
            u = r_w - r_l
            up, down = 1 / (1 + mpmath.exp(-u)), 1 / (1 + mpmath.exp(u))
            k = beta * (p * down - (1 - p) * up) if sigma else beta * (2 * p - 1)
            losses.append(-p * mpmath.log(up) - (1 - p) * mpmath.log(down) if sigma else -(2 * p - 1) * u)
            weights.append(down if sigma else mpf(1))
            chosen.append((r_w, log_p[i][w]))
            rejected.append((r_l, log_p[i][l]))
            pull[i][w] -= k / len(comparisons)
            pull[i][l] += k / len(comparisons)
        steps.append(_measured(log_p, reference, losses, chosen, rejected, weights))
        gradient = [
            [c - mpmath.exp(x) * mpmath.fsum(cs) for c, x in zip(cs, xs, strict=True)]
            for cs, xs in zip(pull, log_p, strict=True)
        ]
        if theta is None:
            logits = [
                [z - rate * g for z, g in zip(zs, gs, strict=True)]
                for zs, gs in zip(logits, gradient, strict=True)
            ]
        else:
            flat = [
                (g, vector)
                for gs, vectors in zip(gradient, features, strict=True)
                for g, vector in zip(gs, vectors, strict=True)
            ]
            theta = [x - rate * mpmath.fsum(g * v[d] for g, v in flat) for d, x in enumerate(theta)]
    return steps


def _measured(log_p, reference, losses, chosen, rejected, weights):
    n = len(losses)

    def each_prompt(f):
        return [mpmath.fsum(map(f, xs, rs)) for xs, rs in zip(log_p, reference, strict=True)]

    return {
        "log_policy": [x for xs in log_p for x in xs],
        "loss": mpmath.fsum(losses) / n,
        "rewards/chosen": mpmath.fsum(r for r, _ in chosen) / n,
        "rewards/rejected": mpmath.fsum(r for r, _ in rejected) / n,
        "rewards/margins": mpmath.fsum(w - x for (w, _), (x, _) in zip(chosen, rejected, strict=True)) / n,
        "logps/chosen": mpmath.fsum(x for _, x in chosen) / n,
        "logps/rejected": mpmath.fsum(x for _, x in rejected) / n,
        "kl/policy_reference": each_prompt(lambda x, r: mpmath.exp(x) * (x - r)),
        "kl/reference_policy": each_prompt(lambda x, r: mpmath.exp(r) * (r - x)),
        "entropy": each_prompt(lambda x, r: -mpmath.exp(x) * x),
        "sigma_weight": weights,
    }
