"""Figures and tables of the DPO paper (Rafailov et al. 2023, arXiv 2305.18290) as data.

Tables 1 and 2 carry the printed numbers. Points of a plot are read off it and marked approximate. Each was
compared in two or more public readings of the plot that were made independently (one of them decodes the
vector graphics of the arXiv HTML edition); a comment says what they agree on. Where they do not, the coarser
value stands. The judge behind every win rate is GPT-4 (gpt-4-0314), unless a column says "human".
"""

from dpo_core.glossary import PAPER
from lessons.figure import Figure, Point, Series


def _read_off(name: str, points: list[tuple[float, float]], role: str = "") -> Series:
    """A curve whose values are read off a plot."""
    return Series(name, tuple(Point(x, y, True) for x, y in points), role)


def _printed(name: str, values: dict[str, float], role: str = "") -> Series:
    """Bars whose values are printed in the paper."""
    return Series(name, tuple(Point(x, y) for x, y in values.items()), role)


TEMPERATURES = (0.0, 0.25, 0.5, 0.75, 1.0)


def _by_temperature(name: str, rates: tuple[float, ...], role: str = "") -> Series:
    return _read_off(name, list(zip(TEMPERATURES, rates, strict=True)), role)


_FIGURES = (
    # Figure 2, left: a scatter of 177 evaluations. Only a few points are given, from one careful reading;
    # where two coarser ones give a number they agree with it to about .04. The text says that DPO's
    # frontier strictly dominates PPO's, PPO-GT's (which sees the true reward) included; 22 runs, true
    # reward and sequence KL measured every 100 steps.
    Figure(
        "imdb_frontier",
        "IMDb sentiment: reward against KL",
        "line",
        "KL(π‖π_ref), nats per sequence",
        "true reward (sentiment classifier)",
        (
            _read_off("DPO", [(1.1, 0.78), (2.0, 0.90), (3.0, 0.95), (5.0, 0.99), (10.0, 1.0)], "policy"),
            _read_off("PPO, learned reward", [(2.0, 0.57), (4.0, 0.70), (7.0, 0.83), (11.0, 0.93)]),
            _read_off("PPO-GT, true reward", [(1.5, 0.57), (4.5, 0.72), (8.0, 0.85), (12.0, 0.90)]),
            _read_off("Preferred-FT", [(1.0, 0.5), (5.0, 0.65), (10.0, 0.65), (15.0, 0.65)], "reference"),
        ),
        f"{PAPER}, section 6.1, Figure 2 (left)",
        "Up and to the left is better: more reward for less KL. β was .05, .1, 1 and 5; PPO's "
        "target KL 3, 6, 9 "
        "and 12. A few points of each cloud, read off the plot.",
        "That DPO beats PPO at any size or on any task: this is GPT-2-large on film reviews, with "
        "labels made "
        "by the same classifier that measures the reward, so nothing is mislabelled.",
        y_low=0.4,
    ),
    # Figure 2, right: at 256 judgments a value is a multiple of 1/256. The decoded plot has DPO 158/256 =
    # .617 and PPO 146/256 = .570 at temperature 0, DPO 99/256 = .387 and PPO 18/256 = .070 at 1, best of
    # 128 at most 147/256 = .574 (at .5). The text: DPO "approximately 61%" and PPO "57%" at temperature 0.
    # Two readings by eye agree with these and with each other to .01 for the rest.
    Figure(
        "tldr_win_rates",
        "TL;DR summaries: win rate against the human reference",
        "line",
        "sampling temperature",
        "win rate, judged by GPT-4",
        (
            _by_temperature("DPO", (0.62, 0.62, 0.59, 0.52, 0.39), "policy"),
            _by_temperature("PPO", (0.57, 0.53, 0.40, 0.20, 0.07)),
            _by_temperature("Best of 128", (0.42, 0.54, 0.57, 0.51, 0.46)),
            _by_temperature("Preferred-FT", (0.38, 0.39, 0.41, 0.37, 0.36)),
            _by_temperature("SFT", (0.41, 0.39, 0.38, 0.33, 0.28), "reference"),
            _by_temperature("GPT-J", (0.06, 0.06, 0.10, 0.07, 0.06)),
        ),
        f"{PAPER}, section 6.2, Figure 2 (right); the text gives DPO ≈ .61 and PPO .57 at temperature 0",
        "β = 0.5, GPT-J with 6 billion parameters. PPO falls steeply as sampling gets warmer; DPO "
        "falls later.",
        "That DPO's best (.62) differs from PPO's best (.57) beyond doubt: with 256 judgments each "
        "(inferred from the plot) the gap is .05 ± .04 (one standard error). β was barely tuned for DPO.",
        y_high=0.7,
        baseline=0.5,
        baseline_label="as often as the human summary",
    ),
    # Figure 3, left, at temperatures .25, .7 and 1. The decoded plot has DPO .370 at .25 and .629 at 1,
    # best of 128 .542 and .608; two readings by eye agree with those and give the rest to .02. The text:
    # DPO is the only computationally efficient method that improves over the preferred completions of the
    # dataset.
    Figure(
        "hh_win_rates",
        "Anthropic-HH, one turn: win rate against the dataset's chosen reply",
        "line",
        "sampling temperature",
        "win rate, judged by GPT-4",
        (
            _read_off("DPO", [(0.25, 0.37), (0.7, 0.60), (1.0, 0.63)], "policy"),
            _read_off("Best of 128", [(0.25, 0.54), (0.7, 0.59), (1.0, 0.61)]),
            _read_off("Preferred-FT", [(0.25, 0.30), (0.7, 0.43), (1.0, 0.37)], "reference"),
            _read_off("Pythia-2.8B, 2-shot", [(0.25, 0.16), (0.7, 0.25), (1.0, 0.21)]),
        ),
        f"{PAPER}, section 6.2, Figure 3 (left)",
        "Pythia-2.8B. There was no SFT model, so Preferred-FT came first and served as the reference. "
        "Best of 128 draws 128 replies for each question and lets a reward model choose.",
        "A win over PPO: the public PPO model that the authors tried never beat the base model, "
        "so best of 128 "
        "stands in for it. And DPO wins only when sampled warm: at temperature .25 it loses to the dataset.",
        y_high=0.7,
        baseline=0.5,
        baseline_label="as often as the dataset's chosen reply",
    ),
    # Table 1, printed: DPO .36 and .31, PPO .26 and .23.
    Figure(
        "cnn_transfer",
        "Trained on Reddit posts, tested on CNN/DailyMail news",
        "bar",
        "sampling temperature",
        "win rate against the ground truth",
        (
            _printed("DPO", {"temperature 0": 0.36, "temperature 0.25": 0.31}, "policy"),
            _printed("PPO", {"temperature 0": 0.26, "temperature 0.25": 0.23}),
        ),
        f"{PAPER}, section 6.3, Table 1",
        "Both lose to the human summaries; DPO loses less often, though PPO had also seen unlabelled posts.",
        "Good news summaries: a win rate of .36 means that the human summary wins most of the "
        "time. The number "
        "of articles is not stated; the authors call it initial evidence.",
        y_high=0.6,
        baseline=0.5,
        baseline_label="as often as the human summary",
    ),
    # Table 2, printed. Columns DPO, SFT, PPO-1, each against PPO-0: respondents 272, 122, 199; GPT-4 (S) win
    # 47, 27, 13; GPT-4 (C) win 54, 32, 12; human win 58, 43, 17.
    Figure(
        "human_study_wins",
        "Human study: win rate against PPO at temperature 0",
        "bar",
        "method",
        "win rate",
        (
            _printed("human", {"DPO": 0.58, "SFT": 0.43, "PPO-1": 0.17}),
            _printed("GPT-4 (C)", {"DPO": 0.54, "SFT": 0.32, "PPO-1": 0.12}),
            _printed("GPT-4 (S)", {"DPO": 0.47, "SFT": 0.27, "PPO-1": 0.13}),
        ),
        f"{PAPER}, section 6.4, Table 2 (respondents: 272, 122, 199)",
        "GPT-4 (C) is asked for a concise summary as well, GPT-4 (S) only for the important "
        "points. DPO and SFT "
        "were sampled at temperature .25, PPO-1 at 1.",
        "That GPT-4 replaces people: under prompt (S) DPO loses to PPO-0 (47 %), under (C) it "
        "wins (54 %). The "
        "question put to the judge decides.",
        baseline=0.5,
        baseline_label="as often as PPO-0",
    ),
    # Table 2, printed: GPT-4 (S)-human 70, 77, 86; GPT-4 (C)-human 67, 79, 85; human-human 65, none, 87.
    Figure(
        "human_study_agreement",
        "Human study: who agrees with whom",
        "bar",
        "comparison with PPO-0",
        "share of equal verdicts",
        (
            _printed("people with people", {"DPO": 0.65, "PPO-1": 0.87}),
            _printed("GPT-4 (C) with people", {"DPO": 0.67, "SFT": 0.79, "PPO-1": 0.85}),
            _printed("GPT-4 (S) with people", {"DPO": 0.70, "SFT": 0.77, "PPO-1": 0.86}),
        ),
        f"{PAPER}, section 6.4, Table 2",
        "GPT-4 agrees with people about as often as people agree with each other. The SFT summaries had one "
        "rater each, so nobody could disagree.",
        "That GPT-4 is right: agreement is also high where one side loses nearly always, as PPO-1 does.",
        y_low=0.5,
    ),
)

PUBLISHED: dict[str, Figure] = {figure.key: figure for figure in _FIGURES}

# β explored, section 6.1 and Appendix B: .05, .1, 1 and 5 on IMDb; .1 by default; .5 on TL;DR.
BETAS_EXPLORED = (0.05, 0.1, 1.0, 5.0)
# Appendix B: RMSprop, learning rate 1e-6 after a linear warm-up over 150 steps, batches of 64.
