"""The paper's figures: printed numbers exactly, read-off ones marked, each with its source and its limits."""

import pytest

from lessons.published import BETAS_EXPLORED
from lessons.published import PUBLISHED as FIGURES

# as printed: Table 1 (CNN/DailyMail) and Table 2 (human study) of arXiv 2305.18290
PRINTED = {
    "cnn_transfer": {"DPO": [0.36, 0.31], "PPO": [0.26, 0.23]},
    "human_study_wins": {
        "human": [0.58, 0.43, 0.17],
        "GPT-4 (C)": [0.54, 0.32, 0.12],
        "GPT-4 (S)": [0.47, 0.27, 0.13],
    },
    "human_study_agreement": {
        "people with people": [0.65, 0.87],
        "GPT-4 (C) with people": [0.67, 0.79, 0.85],
        "GPT-4 (S) with people": [0.70, 0.77, 0.86],
    },
}
# decoded from the vector graphics of Figures 2 and 3: (figure, series, temperature) → win rate
DECODED = {
    ("tldr_win_rates", "DPO", 0.0): 158 / 256,
    ("tldr_win_rates", "DPO", 1.0): 99 / 256,
    ("tldr_win_rates", "PPO", 0.0): 146 / 256,
    ("tldr_win_rates", "PPO", 1.0): 18 / 256,
    ("tldr_win_rates", "Best of 128", 0.5): 147 / 256,
    ("hh_win_rates", "DPO", 0.25): 0.370,
    ("hh_win_rates", "DPO", 1.0): 0.629,
    ("hh_win_rates", "Best of 128", 0.25): 0.542,
    ("hh_win_rates", "Best of 128", 1.0): 0.608,
}


def series(figure, name):
    return next(s for s in FIGURES[figure].series if s.name == name)


@pytest.mark.parametrize("key", PRINTED)
def test_tables_are_as_printed(key):
    found = {s.name: [point.y for point in s.points] for s in FIGURES[key].series}
    assert found == PRINTED[key]
    assert not any(point.approximate for s in FIGURES[key].series for point in s.points)


@pytest.mark.parametrize("place", DECODED)
def test_points_read_off_agree_with_the_decoded_plot(place):
    figure, name, temperature = place
    point = next(p for p in series(figure, name).points if p.x == temperature)
    assert point.approximate
    assert abs(point.y - DECODED[place]) < 0.006


@pytest.mark.parametrize("key", ["imdb_frontier", "tldr_win_rates", "hh_win_rates"])
def test_every_point_of_a_plot_is_marked_as_read_off(key):
    assert all(point.approximate for s in FIGURES[key].series for point in s.points)


@pytest.mark.parametrize("key", FIGURES)
def test_figures_name_their_source_their_limits_and_fit_their_axes(key):
    figure = FIGURES[key]
    assert "2305.18290" in figure.source and "section 6" in figure.source
    assert ("Figure" in figure.source) or ("Table" in figure.source)
    assert len(figure.not_claimed) > 40
    for s in figure.series:
        assert all(figure.y_low <= point.y <= figure.y_high for point in s.points), s.name


def test_what_the_text_of_the_paper_says_of_its_plots():
    best = {s.name: max(p.y for p in s.points) for s in FIGURES["tldr_win_rates"].series}
    # "approximately 61%" for DPO and "57%" for PPO, both at temperature 0
    dpo, ppo = series("tldr_win_rates", "DPO").points[0], series("tldr_win_rates", "PPO").points[0]
    assert (dpo.x, ppo.x) == (0.0, 0.0) and abs(dpo.y - 0.61) < 0.011 and ppo.y == 0.57
    assert ppo.y == best["PPO"]  # "its optimal sampling temperature of 0.0"
    assert best["DPO"] > best["Best of 128"]  # "a higher maximum win rate compared to the best of N baseline"
    # DPO is "the only computationally efficient method that improves over the preferred completions"
    over_half = {s.name for s in FIGURES["hh_win_rates"].series if max(p.y for p in s.points) > 0.5}
    assert over_half == {"DPO", "Best of 128"}


def test_dpo_is_ahead_at_every_kl_that_both_reach():
    frontier = {s.name: s.points for s in FIGURES["imdb_frontier"].series}
    for name, points in frontier.items():
        for point in points:
            if name != "DPO":
                at_most = [p.y for p in frontier["DPO"] if p.x <= max(point.x, 1.1)]
                assert max(at_most) > point.y, f"{name} at {point.x}"


def test_betas_explored():
    assert BETAS_EXPLORED == (0.05, 0.1, 1.0, 5.0)
