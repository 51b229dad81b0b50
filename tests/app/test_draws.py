"""Methods that draw, on the page: the seed, a learned reward, and what the player is sent of them."""

import json
import struct
from urllib.parse import parse_qsl

import numpy as np

from app.playground import payload
from app.playground.session import handle
from app.playground.state import open_link, open_preset
from dpo_core.world.change_words import describe


def test_a_seed_is_changed_and_undone_and_a_world_without_rewards_learns_one():
    state = open_preset("align")
    state = handle(state, {"type": "intervene", "step": 0, "change": "objective", "value": "ppo"})
    assert state.notice is None and state.trajectory.segments[0].rules.objective["reward"] == "learned"
    assert [s.rules.objective.name for s in state.trajectory.stages] == ["reward_model", "ppo"]
    drawn = handle(state, {"type": "seed", "value": 7})
    assert drawn.scenario.seed == 7
    assert (drawn.trajectory.log_policy[-1] != state.trajectory.log_policy[-1]).any()
    assert handle(drawn, {"type": "undo"}).scenario == state.scenario
    opened = open_link(dict(parse_qsl(drawn.link())))
    assert opened.trajectory.log_policy.tobytes() == drawn.trajectory.log_policy.tobytes()
    bad = handle(drawn, {"type": "seed", "value": 1.5})
    assert bad.notice.text.startswith("seed: 1.5 is not a whole number") and bad.scenario == drawn.scenario
    refused = handle(state, {"type": "intervene", "step": 5, "change": "reward", "value": "true"})
    assert "climbs the true reward, and this world states none" in refused.notice.text
    words = handle(state, {"type": "intervene", "step": 5, "change": "baseline", "value": "value"})
    log = describe(words.scenario)
    assert log[-1][1] == "baseline mean → value"


def test_the_player_gets_the_stages_the_learned_rewards_and_the_drawn_pairs():
    state = open_preset("align")
    change = {"type": "intervene", "change": "objective"}
    state = handle(state, {**change, "step": 0, "value": "online_dpo"})
    sent = payload.encode(state, {})
    (length,) = struct.unpack("<I", sent[:4])
    header, steps = json.loads(sent[4 : 4 + length]), state.scenario.steps
    assert [(s["start"], s["acting"], s["objective"]["name"]) for s in header["segments"]] == [
        (0, "reward_model", "online_dpo"),
        (100, "online_dpo", "online_dpo"),
    ]
    rows = np.frombuffer(sent[4 + length :], "<f4").reshape(-1, steps + 1)
    at = {name: rows[i] for i, name in enumerate(header["columns"])}
    carried = state.trajectory.carried
    for k in range(8):
        np.testing.assert_allclose(at[f"reward_of/{k}"], carried["learned_reward"][:, k], rtol=1e-6)
    for k in range(32):
        assert (at[f"drawn/{k}"][:100] == 0).all()
        np.testing.assert_allclose(at[f"drawn/{k}"][:-1], carried["drawn"][1:, k], rtol=1e-6)
    assert sum(at[f"drawn/{k}"][100] for k in range(32)) > 0.999  # those that step 100 trains on
