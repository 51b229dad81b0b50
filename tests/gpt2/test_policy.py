"""Sequence log-probs against Hugging Face's own loss, one unpadded sequence at a time."""

import pytest
import torch

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.packing import TokenSequence, pack
from dpo_core.gpt2.model.policy import Policy, all_log_probs, micro_batches
from dpo_core.gpt2.training.replies import joined_reply, reply_texts
from tests.gpt2.tiny import tiny_model, tiny_policy, tiny_preferences, tiny_tokenizer

TEXTS = [*reply_texts(tiny_preferences()), ("", "A text without a prompt."), ("The film", "")]


def hugging_face_log_prob(model, sequence: TokenSequence) -> float:
    """−loss · (number of counted tokens), the prompt masked with the label −100."""
    ids = torch.tensor([[*sequence.prompt, *sequence.reply]])
    labels = ids.clone()
    labels[0, : len(sequence.prompt)] = -100
    with torch.no_grad():
        return -model(input_ids=ids, labels=labels).loss.item() * len(sequence.reply)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 2e-5), ("float32", 2e-4), ("bfloat16", 0.3)])
def test_sequence_log_probs_are_hugging_faces_loss(dtype, tolerance):
    policy = tiny_policy(dtype)
    sequences = policy.encode_all(TEXTS)
    plain = (
        tiny_model().eval()
    )  # float32: transformers computes its loss in float32 whatever the model's precision
    expected = [hugging_face_log_prob(plain, s) for s in sequences]
    ours = policy.sequence_log_probs(sequences).tolist()
    assert ours == pytest.approx(expected, abs=tolerance)
    assert all_log_probs(policy, sequences, tokens=20) == pytest.approx(ours, abs=tolerance)


def test_float64_is_exact_against_a_plain_log_softmax():
    policy = tiny_policy("float64")
    sequences = policy.encode_all(TEXTS)
    plain = tiny_model().double().eval()
    expected = []
    for s in sequences:
        ids = torch.tensor([[*s.prompt, *s.reply]])
        with torch.no_grad():
            tokens = plain(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        expected.append(tokens[len(s.prompt) - 1 :].sum().item())
    assert policy.sequence_log_probs(sequences).tolist() == pytest.approx(expected, abs=1e-11)


def test_gradients_of_shared_prefixes_add_up():
    """Packing computes a shared prompt once; autograd must give what two separate passes give."""
    policy, plain = tiny_policy("float64"), tiny_model().double().eval()
    sequences = policy.encode_all(reply_texts(tiny_preferences()))
    weights = torch.linspace(-1, 1, len(sequences), dtype=torch.float64)
    torch.autograd.backward(policy.sequence_log_probs(sequences), grad_tensors=weights)
    for weight, s in zip(weights, sequences, strict=True):
        ids = torch.tensor([[*s.prompt, *s.reply]])
        tokens = plain(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
        (weight * tokens[len(s.prompt) - 1 :].sum()).backward()
    for (name, ours), theirs in zip(policy.model.named_parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-10, atol=1e-12), name


def test_packing_holds_every_distinct_prefix_once():
    shared = TokenSequence((5, 6, 7), (8, 9, 0))
    other = TokenSequence((5, 6, 7), (8, 4, 0))
    packed = pack([shared, other])
    assert packed.token_ids.tolist() == [[5, 6, 7, 8, 9, 4]]
    assert packed.positions.tolist() == [[0, 1, 2, 3, 4, 4]]
    assert packed.node_of.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 5]]
    assert packed.predict_from.tolist() == [2, 3, 4, 2, 3, 5]
    assert packed.targets.tolist() == [8, 9, 0, 8, 4, 0]
    assert packed.owner.tolist() == [0, 0, 0, 1, 1, 1]


def test_the_reply_ends_with_end_of_text_once_and_prompts_are_masked():
    policy = tiny_policy()
    end = policy.end_of_text
    sequence = policy.encode("The film", " was dull.")
    assert sequence.reply[-1] == end and sequence.reply.count(end) == 1
    assert policy.encode("The film", " was dull.<|endoftext|>") == sequence
    assert policy.tokenizer.decode(sequence.prompt) == "The film"
    assert policy.encode("", "x").prompt == (end,)


@pytest.mark.parametrize(
    ("prompt", "reply", "expected"),
    [
        ("Is it good?", "Yes", " Yes"),
        ("The film", " was", " was"),
        ("The film", ", in short,", ", in short,"),
        ("Say:\n", "Yes", "Yes"),
        ("", "Yes", "Yes"),
    ],
)
def test_a_word_does_not_run_into_the_prompt(prompt, reply, expected):
    assert joined_reply(prompt, reply) == expected


def test_a_text_longer_than_the_context_is_refused():
    with pytest.raises(ScenarioError, match=r"tokens long, tiny reads 64"):
        tiny_policy().encode("word " * 40, "word " * 40)


def test_an_unknown_precision_is_refused():
    with pytest.raises(ScenarioError, match="float32, bfloat16, float64"):
        Policy(tiny_model(), tiny_tokenizer(), "tiny", "float16")


def test_micro_batches_keep_order_and_bound():
    lengths = [30, 30, 30, 90, 5, 5]
    pieces = micro_batches([range(n) for n in lengths], 60)
    assert pieces == [[0, 1], [2], [3], [4, 5]]
