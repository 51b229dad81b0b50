"""``train`` and ``parity`` from the command line, as people and scripts call them."""

import json
import subprocess
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from dpo_core.__main__ import main
from tests.gpt2.tiny import PAIRS, tiny_model, tiny_tokenizer

TRL_NAMES = {
    "loss",
    "rewards/chosen",
    "rewards/rejected",
    "rewards/margins",
    "rewards/accuracies",
    "logps/chosen",
    "logps/rejected",
}


@pytest.fixture
def model_folder(tmp_path):
    tiny_model().save_pretrained(tmp_path / "model")
    tiny_tokenizer().save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


@pytest.fixture
def pairs_file(tmp_path):
    (tmp_path / "pairs.jsonl").write_text(PAIRS)
    return str(tmp_path / "pairs.jsonl")


def run(capsys, *arguments):
    status = main(["train", "--threads", "1", *arguments])
    captured = capsys.readouterr()
    return status, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_train_prints_trls_metrics_and_saves_what_hugging_face_loads(
    capsys, tmp_path, model_folder, pairs_file
):
    saved = str(tmp_path / "saved")
    arguments = (
        pairs_file,
        "--model",
        model_folder,
        "--steps",
        "5",
        "--batch-size",
        "0",
        "--measure-every",
        "5",
    )
    status, lines, said = run(capsys, *arguments, "--samples", "4", "--save", saved)
    assert status == 0 and [line["step"] for line in lines] == list(range(6))
    assert all(line.keys() >= TRL_NAMES for line in lines)
    assert "kl" in lines[0] and "kl" not in lines[1] and lines[5]["kl"] > 0
    assert "s per step" in said  # how slow it will be, before it starts
    model = AutoModelForCausalLM.from_pretrained(saved).eval()
    tokenizer = AutoTokenizer.from_pretrained(saved)
    ids = torch.tensor([tokenizer("In the end I laughed.")["input_ids"] + [tokenizer.eos_token_id]])
    prompt = len(tokenizer("In the end I")["input_ids"])
    with torch.no_grad():
        tokens = model(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
    loaded = tokens[prompt - 1 :].sum().item()
    before = tiny_model().eval()
    with torch.no_grad():
        tokens = before(ids).logits[0, :-1].log_softmax(-1).gather(-1, ids[0, 1:, None])[:, 0]
    assert loaded > tokens[prompt - 1 :].sum().item()  # the chosen reply of its own prompt gained


def test_train_takes_a_scenario_with_its_interventions(capsys, tmp_path, model_folder):
    scenario = {
        "prompts": [
            {"text": "Is it good?", "replies": ["Yes", "No", "Maybe"], "reference": [0.5, 0.25, 0.25]}
        ],
        "comparisons": [{"prompt": 0, "chosen": 0, "rejected": 1}],
        "objective": {"beta": 0.3},
        "steps": 4,
        "interventions": [{"step": 2, "beta": 0.6}, {"step": 3, "flip": 0}],
    }
    (tmp_path / "scenario.json").write_text(json.dumps(scenario))
    status, lines, _ = run(
        capsys, str(tmp_path / "scenario.json"), "--model", model_folder, "--measure-every", "0"
    )
    assert status == 0 and [line["beta"] for line in lines] == [0.3, 0.3, 0.6, 0.6, 0.6]
    assert lines[2]["rewards/margins"] > 0 > lines[3]["rewards/margins"]


def test_the_reference_cache_is_kept_used_and_distrusted(capsys, tmp_path, model_folder, pairs_file):
    cache = tmp_path / "cache.json"
    arguments = (pairs_file, "--model", model_folder, "--steps", "3", "--measure-every", "0")
    arguments += ("--batch-size", "0", "--reference-cache", str(cache))
    _, first, _ = run(capsys, *arguments)
    _, again, said = run(capsys, *arguments)
    assert first == again and "another model" not in said
    tiny_model(seed=3).save_pretrained(model_folder)
    status, _, said = run(capsys, *arguments)
    assert status == 0 and "belong to another model" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl: cannot be read"),
        (["--model", "no such model"], "no folder, and no name on the hub"),
        (["--model", "~nobody-of-this-name/x"], "no folder, and no name on the hub"),
        (["--beta", "-1"], "objective.beta: -1 must be positive"),
        (["--beta", "nan"], "not a finite number"),
        (["--steps", "0"], "steps: 0 is out of range"),
        (["--threads", "0"], "--threads: 0 is out of range"),
        (["--device", "cuda"], "not a device of this machine"),
    ],
)
def test_bad_input_is_one_line_and_status_2(capsys, arguments, said):
    if "cuda" in arguments and torch.cuda.is_available():
        pytest.fail("this machine has the device that the test takes to be missing")
    status, lines, err = run(capsys, *arguments)
    assert status == 2 and lines == []
    assert said in err and err.count("\n") == 1 and err.startswith("error: ")


def test_a_folder_that_holds_something_is_not_overwritten(capsys, tmp_path, model_folder, pairs_file):
    status, _, err = run(capsys, pairs_file, "--model", model_folder, "--save", model_folder)
    assert status == 2 and "is not empty" in err


def test_parity_prints_four_tables_or_json(capsys, model_folder, pairs_file):
    arguments = ["parity", pairs_file, "--model", model_folder, "--network-steps", "4", "--threads", "1"]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert text.count("equal: largest deviation") == 3 and "NOT EQUAL" not in text
    assert "4. What sharing changes" in text
    assert main([*arguments, "--json"]) == 0
    tiers = json.loads(capsys.readouterr().out)
    assert [tier["passed"] for tier in tiers] == [True, True, True, None]


def test_parity_takes_steps_and_changes_from_a_scenario(capsys, tmp_path, model_folder):
    world = {
        "prompts": [{"text": "The film", "replies": [" was dull.", " was a joy."], "reference": [0.5, 0.5]}],
        "comparisons": [{"prompt": 0, "chosen": 1, "rejected": 0}],
        "objective": {"name": "dpo", "beta": 0.5, "sigma_weight": False},
        "optimizer": {"name": "sgd", "learning_rate": 2.0},
        "steps": 12,
        "interventions": [{"step": 3, "flip": 0}, {"step": 9, "sigma_weight": True}],
    }
    path = tmp_path / "world.json"
    path.write_text(json.dumps(world))
    arguments = ["parity", str(path), "--model", model_folder, "--network-steps", "2", "--json"]
    assert main(arguments) == 0
    numbers, _, trajectory, _ = json.loads(capsys.readouterr().out)
    assert "sigma weight off" in numbers["explanation"] and "12 steps" in trajectory["explanation"]
    assert "says: 2 times" in trajectory["explanation"] and trajectory["rows"][-1][0] == 12
    # c = ∓β and both logits move by ηβ, so that h = 2ηβ and the linear loss is −βh
    assert trajectory["rows"][1][2] == pytest.approx(-0.5 * (2 * 2.0 * 0.5), abs=1e-9)
    assert main([*arguments, "--sigma-weight"]) == 0
    assert "sigma weight on" in json.loads(capsys.readouterr().out)[0]["explanation"]


def test_the_command_line_imports_torch_only_when_it_trains():
    code = (
        "import sys; from dpo_core.__main__ import main; main(['presets']);"
        "from dpo_core.gpt2 import cli; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
