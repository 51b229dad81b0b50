"""The bundled preference set: every pair checked again with the exact sentiment."""

import itertools
import json
import math
import re
import statistics

from dpo_core.gpt2 import corpus
from dpo_core.gpt2.making.grammar_gap import sample_completions
from dpo_core.gpt2.making.preference_set import (
    Completions,
    Pair,
    best_against_worst,
    main,
    preference_set,
    rated,
    read_jsonl,
    review_prefixes,
    write_jsonl,
)
from dpo_core.gpt2.model.shipped import load_shipped
from dpo_core.gpt2.spec.shipped_files import COMPLETIONS_FILE, DATA_FOLDER, HELD_OUT_PAIRS, TRAINING_PAIRS

MODEL, TOKENIZER = load_shipped()
TRAINING, HELD_OUT = read_jsonl(TRAINING_PAIRS), read_jsonl(HELD_OUT_PAIRS)
README = (DATA_FOLDER / "README.md").read_text(encoding="utf-8")


def test_every_pair():
    for pair in TRAINING + HELD_OUT:
        chosen, rejected = pair.prompt + pair.chosen, pair.prompt + pair.rejected
        assert corpus.sentiment(chosen) > corpus.sentiment(rejected), pair
        prompt_ids = TOKENIZER(pair.prompt)["input_ids"]
        assert 2 <= len(prompt_ids) <= 8, pair
        for reply in (pair.chosen, pair.rejected):
            # Tokens of prompt and reply are those of the whole, so a mask at the prompt's end is exact.
            whole = TOKENIZER(pair.prompt + reply)["input_ids"]
            assert prompt_ids + TOKENIZER(reply)["input_ids"] == whole, pair


def test_the_set_as_a_whole():
    assert len(TRAINING) == 4000 and len(HELD_OUT) == 512
    prompts = [pair.prompt for pair in TRAINING + HELD_OUT]
    assert len(set(prompts)) == len(prompts)
    for line in TRAINING_PAIRS.read_text(encoding="utf-8").splitlines():
        assert list(json.loads(line)) == ["prompt", "chosen", "rejected"]


def test_training_pairs_are_the_best_and_the_worst_of_what_was_drawn():
    lines = COMPLETIONS_FILE.read_text(encoding="utf-8").splitlines()
    for line, pair in zip(lines, TRAINING, strict=True):
        entry = json.loads(line)
        drawn = Completions(entry["prompt"], tuple(entry["replies"]), tuple(entry["sentiment"]))
        assert len(drawn.replies) == 4 and best_against_worst(drawn) == pair
    assert drawn == rated(drawn.prompt, drawn.replies)


def test_prompts_are_the_seeds_prefixes_in_order():
    stream = review_prefixes(TOKENIZER, seed=0)
    for pair in TRAINING + HELD_OUT:
        assert pair.prompt in itertools.islice(stream, 60)  # skips only prompts whose completions tied


def test_there_is_room_for_sentiment_to_rise():
    """On held-out prompts the reference is near 0, the best of four far above it; the README says so."""
    prompts = [pair.prompt for pair in HELD_OUT[:64] for _ in range(8)]
    replies = sample_completions(MODEL, TOKENIZER, prompts, seed=4321)
    rated = [corpus.sentiment(p + r) for p, r in zip(prompts, replies, strict=True)]
    means = [statistics.fmean(v for v in rated[i : i + 8] if v is not None) for i in range(0, len(rated), 8)]
    error = statistics.stdev(means) / 8
    said, said_error = map(float, re.search(r"fresh completions each\): (\S+) ± ([\d.]+)\.", README).groups())
    assert abs(statistics.fmean(means) - said) < 4 * math.hypot(error, said_error)
    assert abs(said) < 0.15
    chosen = [corpus.sentiment(pair.prompt + pair.chosen) for pair in HELD_OUT]
    assert statistics.fmean(chosen) > said + 0.3


def test_the_readme_means_are_the_files():
    for path, pairs in ((TRAINING_PAIRS, TRAINING), (HELD_OUT_PAIRS, HELD_OUT)):
        chosen = statistics.fmean(corpus.sentiment(pair.prompt + pair.chosen) for pair in pairs)
        rejected = statistics.fmean(corpus.sentiment(pair.prompt + pair.rejected) for pair in pairs)
        row = next(line for line in README.splitlines() if line.startswith(f"| {path.name}"))
        assert f"| {len(pairs)} | {chosen:+.3f} ±" in row and f"| {rejected:+.3f} ±" in row


def test_best_against_worst_by_hand():
    replies = [" was thin.", " was superb.", " was very clever.", " was was superb."]
    assert best_against_worst(rated("The plot", replies)) == Pair("The plot", " was superb.", " was thin.")
    assert best_against_worst(rated("The plot", [" was superb.", " was brilliant."])) is None  # both 0.8
    assert best_against_worst(rated("The plot", [" was thin.", " superb was."])) is None
    # "The plot" + "s" would be tokenised differently when joined; "The jokes" would have to be the prompt.
    assert best_against_worst(rated("The joke", ["s were thin.", "s were superb."])) is None


def test_prefixes_are_beginnings_of_reviews():
    prefixes = list(itertools.islice(review_prefixes(TOKENIZER, seed=6), 200))
    assert len(set(prefixes)) == 200
    assert prefixes == list(itertools.islice(review_prefixes(TOKENIZER, seed=6), 200))
    lengths = {len(TOKENIZER(prefix)["input_ids"]) for prefix in prefixes}
    assert lengths == set(range(2, 9))
    for prefix in prefixes[:60]:
        assert corpus.is_prefix(prefix + " ") or corpus.next_words(prefix).keys() & {".", ","}


def test_a_set_is_made_again_from_its_seed():
    once = preference_set(MODEL, TOKENIZER, training=6, held_out=3, seed=5)
    assert once == preference_set(MODEL, TOKENIZER, training=6, held_out=3, seed=5)
    assert [len(part) for part in (once.training, once.held_out, once.completions)] == [6, 3, 6]
    assert not {pair.prompt for pair in once.training} & {pair.prompt for pair in once.held_out}


def test_jsonl_keeps_every_character(tmp_path):
    pairs = [Pair('Ça "va"\n', " \u2028\\ 映画", "")]
    write_jsonl(tmp_path / "pairs.jsonl", pairs)
    assert read_jsonl(tmp_path / "pairs.jsonl") == pairs


def test_the_command_says_which_model_is_missing(tmp_path, capsys):
    assert main(["--out", str(tmp_path / "data"), "--model", str(tmp_path / "none")]) == 2
    assert f"no model.safetensors in {tmp_path / 'none'}" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()
