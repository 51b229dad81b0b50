"""Preference pairs as JSONL: each public shape, the way back, and every bad line's own message."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpo_core.errors import ScenarioError
from dpo_core.preferences import Comparison, Preferences, Prompt
from dpo_core.world.pairs_file import MAX_PAIRS, parse_pairs, preferences_to_pairs

USER = {"role": "user", "content": "2 + 2?"}
FOUR = {"role": "assistant", "content": "4"}
FIVE = {"role": "assistant", "content": "5"}


def line(**entry):
    return json.dumps(entry) + "\n"


def test_trl_lines_with_one_prompt_text_share_a_prompt_and_its_replies():
    text = (
        line(prompt="Sky?", chosen="blue", rejected="green")
        + line(prompt="Sum?", chosen="4", rejected="5", agreement=0.8, score_chosen=9)
        + "\n"
        + line(prompt="Sky?", chosen="grey", rejected="blue")
    )
    assert parse_pairs(text, "f") == Preferences(
        (
            Prompt("Sky?", ("blue", "green", "grey"), (1 / 3, 1 / 3, 1 / 3)),
            Prompt("Sum?", ("4", "5"), (0.5, 0.5)),
        ),
        (Comparison(0, 0, 1), Comparison(1, 0, 1, 0.8), Comparison(0, 2, 0)),
    )


SUM = Preferences((Prompt("2 + 2?", ("4", "5"), (0.5, 0.5)),), (Comparison(0, 0, 1),))


@pytest.mark.parametrize(
    "entry",
    [
        {"prompt": "2 + 2?", "chosen": "4", "rejected": "5"},
        {"prompt": [USER], "chosen": [FOUR], "rejected": [FIVE]},
        {"chosen": [USER, FOUR], "rejected": [USER, FIVE]},
        {"prompt": [USER], "chosen": [USER, FOUR], "rejected": [USER, FIVE]},
        {"prompt": "2 + 2?", "chosen": [USER, FOUR], "rejected": [USER, FIVE]},
        {"prompt": "2 + 2?", "chosen": [FOUR], "rejected": [FIVE]},
        {"prompt": [USER], "chosen": "4", "rejected": "5"},
    ],
)
def test_every_shape_of_one_pair_reads_as_the_same_pair(entry):
    assert parse_pairs(json.dumps(entry), "f") == SUM


def test_conversations_of_several_turns_name_who_speaks():
    shared = [{"role": "system", "content": "Be brief."}, USER, FOUR, {"role": "user", "content": "Sure?"}]
    yes, no = {"role": "assistant", "content": "Yes."}, {"role": "assistant", "content": "No."}
    prompt = parse_pairs(line(chosen=[*shared, yes], rejected=[*shared, no]), "f").prompts[0]
    assert prompt.text == "System: Be brief.\n\nUser: 2 + 2?\n\nAssistant: 4\n\nUser: Sure?"
    assert prompt.replies == ("Yes.", "No.")


def test_dialogues_split_at_the_last_assistant_turn_before_they_diverge():
    shared = "\n\nHuman: Hi\n\nAssistant: Hello!\n\nHuman: Capital of France?\n\nAssistant:"
    chosen, rejected = (
        shared + " Paris, of course.",
        shared + " Paris Hilton.\n\nHuman: ?\n\nAssistant: Sorry.",
    )
    prompt = parse_pairs(line(chosen=chosen, rejected=rejected), "f").prompts[0]
    assert prompt.text == shared.strip()
    # the shared word "Paris" belongs to the replies, later turns to the reply that has them
    assert prompt.replies == ("Paris, of course.", "Paris Hilton.\n\nHuman: ?\n\nAssistant: Sorry.")


def test_a_dialogue_with_a_prompt_of_its_own_keeps_it():
    text = line(prompt="Q", chosen="\n\nHuman: a\n\nAssistant: b", rejected="\n\nHuman: a\n\nAssistant: c")
    assert parse_pairs(text, "f").prompts[0].text == "Q"


GOOD = line(prompt="a", chosen="b", rejected="c")
EXAMPLE = '{"prompt": "…", "chosen": "…", "rejected": "…"}'


@pytest.mark.parametrize(
    ("text", "where", "what", "mend"),
    [
        ("", "f", "holds no pairs", f"Write one pair per line: {EXAMPLE}"),
        (" \n\n", "f", "holds no pairs", f"Write one pair per line: {EXAMPLE}"),
        (
            GOOD + "{oops}",
            "f, line 2, column 2",
            "not JSON (Expecting property name enclosed in double quotes)",
            f"Write one pair per line: {EXAMPLE}",
        ),
        ("[1]", "f, line 1", "expected an object {…}, found a list", f"Write {EXAMPLE}"),
        ("[" * 100_000, "f, line 1", "is nested too deeply", f"Write one pair per line: {EXAMPLE}"),
        (line(prompt="a", chosen="b"), "f, line 1, rejected", "is missing", f"Add it: {EXAMPLE}"),
        (
            "\n" + line(prompt="a", chosen="b", rejected="b"),
            "f, line 2, rejected",
            "chosen and rejected are the same text",
            "Compare two different replies",
        ),
        (
            line(prompt="", chosen="b", rejected="c"),
            "f, line 1, prompt",
            "is empty",
            "Write some text in quotes",
        ),
        (
            line(prompt="a", chosen=" ", rejected="c"),
            "f, line 1, chosen",
            "is empty",
            "Write some text in quotes",
        ),
        (
            line(prompt="a", chosen=1, rejected="c"),
            "f, line 1, chosen",
            "expected text, found a number",
            "Write some text in quotes",
        ),
        (
            line(prompt="a", chosen="b", rejected="c", agreement=1.5),
            "f, line 1, agreement",
            "1.5 is outside [0, 1]",
            "Use a share such as 0.8 for 80 % of the raters",
        ),
        (
            line(prompt="a", chosen="b", rejected="c", agreement="high"),
            "f, line 1, agreement",
            "expected a number, found text",
            "Write a number without quotes",
        ),
        (
            '{"prompt":"a","chosen":"b","rejected":"c","agreement":NaN}',
            "f, line 1, agreement",
            "nan is not a finite number",
            "Use an ordinary finite number",
        ),
        (
            line(prompt="a", chosen=[FOUR], rejected="c"),
            "f, line 1, rejected",
            "is text while chosen is a list",
            "Write both as text, or both as lists of messages",
        ),
        (
            line(chosen=[FOUR], rejected=[FIVE]),
            "f, line 1, prompt",
            "is missing, and chosen and rejected share no first message",
            'Add "prompt", or begin both with the same message',
        ),
        (
            line(chosen=[USER, FOUR], rejected=[USER]),
            "f, line 1, rejected",
            "no reply is left after the prompt that both share",
            "Add the reply",
        ),
        (
            line(chosen=[{"role": "user"}], rejected=[FIVE]),
            "f, line 1, chosen[0]",
            "is not a message",
            'Write {"role": "user", "content": "…"}',
        ),
        (
            line(chosen="b", rejected="c"),
            "f, line 1, prompt",
            "is missing, and chosen and rejected share no dialogue up to an \\n\\nAssistant: turn",
            f"Add it: {EXAMPLE}",
        ),
        (
            line(chosen="\n\nHuman: a\n\nAssistant:", rejected="\n\nHuman: a\n\nAssistant: b"),
            "f, line 1, chosen",
            "no reply is left after the prompt that both share",
            "Add the reply",
        ),
        (
            line(prompt="\ud800", chosen="b", rejected="c"),
            "f, line 1, prompt",
            "character 1 is half of a surrogate pair",
            "Write that character again",
        ),
        (GOOD * (MAX_PAIRS + 1), "f, line 10001", "there are more than 10000 pairs", "Leave some lines out"),
    ],
)
def test_a_bad_line_is_named_with_what_where_and_how_to_mend(text, where, what, mend):
    with pytest.raises(ScenarioError) as caught:
        parse_pairs(text, "f")
    assert str(caught.value) == f"{where}: {what}. {mend}."


def test_a_thousand_pairs_windows_line_ends_a_bom_and_odd_line_separators_are_fine():
    text = (
        "\ufeff"
        + GOOD * 999
        + json.dumps({"prompt": "x\u2028y", "chosen": "b", "rejected": "c"}, ensure_ascii=False)
    )
    read = parse_pairs(text.replace("\n", "\r\n"), "f")
    assert [p.text for p in read.prompts] == ["a", "x\u2028y"] and len(read.comparisons) == 1000


TEXT = st.text(min_size=1, max_size=8).filter(str.strip)
PAIRS = st.lists(
    st.tuples(
        st.sampled_from(["q", "r\n\nAssistant: s"]) | TEXT,
        st.lists(TEXT, min_size=2, max_size=2, unique=True),
        st.just(1.0) | st.floats(0, 1),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=200, deadline=None)
@given(PAIRS)
def test_pairs_survive_the_way_out_and_back(pairs):
    text = "".join(line(prompt=p, chosen=a, rejected=b, agreement=s) for p, (a, b), s in pairs)
    read = parse_pairs(text, "f")
    assert [
        (
            read.prompts[c.prompt].text,
            [read.prompts[c.prompt].replies[k] for k in (c.chosen, c.rejected)],
            c.agreement,
        )
        for c in read.comparisons
    ] == [(p, [a, b], s) for p, (a, b), s in pairs]
    assert parse_pairs(preferences_to_pairs(read), "f") == read


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["prompt", "chosen", "rejected", "agreement", "role", "content"]), inner
        )
    ),
    max_leaves=10,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(JSON.map(json.dumps) | st.text(max_size=10), max_size=4))
def test_any_text_gives_preferences_or_one_line(lines):
    try:
        read = parse_pairs("\n".join(lines), "f")
    except ScenarioError as error:
        assert str(error).startswith("f") and len(str(error).splitlines()) == 1
    else:
        assert all(c.chosen != c.rejected for c in read.comparisons)
