"""Which models load, from a folder and from a hub on the loopback interface, and why others do not."""

import json
import os
import shutil
import subprocess
import sys

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model.loading import load_policy, parameter_count, pick_device
from dpo_core.gpt2.model.memory import check_memory, training_bytes
from dpo_core.gpt2.spec.offered import ALLOWED_VARIABLE
from tests.gpt2.loopback_hub import LoopbackHub
from tests.gpt2.tiny import save_large, save_tiny, tiny_model, tiny_policy

GOOD = "someone/tiny"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    for name in (GOOD, "someone/gated", "someone/damaged"):
        save_tiny(root / name)
    for name in ("someone/breaks", "someone/always-breaks"):
        save_large(root / name)
    weights = root / "someone/damaged" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    other = save_tiny(root / "someone/llama")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "llama"}))
    huge = save_tiny(root / "someone/huge")
    (huge / "config.json").write_text(json.dumps({**config, "n_embd": 65536, "n_layer": 96}))
    pickled = save_tiny(root / "someone/pickled")
    (pickled / "model.safetensors").unlink()
    torch.save(tiny_model().state_dict(), pickled / "pytorch_model.bin")
    hub = LoopbackHub(root)
    hub.gated.add("someone/gated")
    yield hub
    hub.close()


def load_in_a_process(hub_endpoint, home, names):
    environment = {**os.environ, "HF_ENDPOINT": hub_endpoint, "HF_HOME": str(home), "OMP_NUM_THREADS": "1"}
    for variable in ("HF_HUB_OFFLINE", "DPO_LAB_MODELS", "HF_HUB_CACHE"):
        environment.pop(variable, None)
    done = subprocess.run(
        [sys.executable, "-m", "tests.gpt2.load_models", *names],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_hub(hub, tmp_path):
    """One process for all cases: starting torch takes longer than the rest."""
    weights = "someone/breaks/model.safetensors"
    size = (hub.root / weights).stat().st_size
    hub.broken[weights] = 1
    hub.broken["someone/always-breaks/model.safetensors"] = 10**6
    names = [GOOD, GOOD, "someone/nothing", "someone/llama", "someone/pickled", "someone/gated"]
    names += ["someone/damaged", "someone/huge", "someone/breaks", "someone/always-breaks"]
    results = load_in_a_process(hub.endpoint, tmp_path, names)
    good, again, nothing, llama, pickled, gated, damaged, huge, breaks, always = results

    policy = tiny_policy()
    expected = policy.sequence_log_probs([policy.encode("The film", " was dull.")]).item()
    assert good["log_prob"] == pytest.approx(expected, abs=1e-4)
    shares = [share for what, share in good["progress"] if what == "downloading model.safetensors"]
    assert shares and shares == sorted(shares) and shares[-1] == 1.0
    assert again["log_prob"] == good["log_prob"]
    assert hub.sent[f"{GOOD}/model.safetensors"] == (hub.root / GOOD / "model.safetensors").stat().st_size
    assert "has no public model someone/nothing" in nothing["error"]
    assert "of the family 'llama', not gpt2" in llama["error"]
    assert hub.sent["someone/llama/model.safetensors"] == 0  # refused before the weights are asked for
    assert "no safetensors weights" in pickled["error"] and "can run code" in pickled["error"]
    assert hub.sent["someone/pickled/pytorch_model.bin"] == 0
    assert "gated" in gated["error"]
    assert "do not load" in damaged["error"] and "\n" not in damaged["error"]
    assert "needs about" in huge["error"] and "GB of memory" in huge["error"]
    assert hub.sent["someone/huge/model.safetensors"] == 0
    # broken half-way once: taken up where it stopped
    large = load_policy(str(hub.root / "someone/breaks"))
    expected = large.sequence_log_probs([large.encode("The film", " was dull.")]).item()
    assert breaks["log_prob"] == pytest.approx(expected, abs=1e-4)
    first, second = hub.starts[weights]
    assert first == 0 < second < size // 2
    assert "broke off" in always["error"] and "Try again" in always["error"]

    # the line is mended: the next attempt asks for the weights again, and for nothing that it has
    hub.broken["someone/always-breaks/model.safetensors"] = 0
    had = hub.starts["someone/always-breaks/tokenizer.json"]
    (mended,) = load_in_a_process(hub.endpoint, tmp_path, ["someone/always-breaks"])
    assert mended["log_prob"] == pytest.approx(expected, abs=1e-4)
    assert hub.starts["someone/always-breaks/tokenizer.json"] == had == [0]

    # and without a line: what is here loads, what is not here is said to be out of reach
    (arrived,) = tmp_path.rglob("models--someone--breaks/snapshots/*/model.safetensors")
    arrived.unlink()
    offline = [GOOD, "someone/absent", "someone/breaks"]
    here, absent, half = load_in_a_process("http://127.0.0.1:9", tmp_path, offline)
    assert here["log_prob"] == good["log_prob"]
    for missing in (absent, half):
        assert "the hub cannot be reached" in missing["error"] and "shipped" in missing["error"]


def test_a_local_folder(tmp_path):
    folder = save_tiny(tmp_path / "mine")
    policy = load_policy(str(folder), "float64")
    expected = tiny_policy("float64")
    sequences = [expected.encode("The film", " was dull.")]
    ours, theirs = policy.sequence_log_probs(sequences), expected.sequence_log_probs(sequences)
    assert ours.item() == pytest.approx(theirs.item(), abs=1e-12)
    assert policy.model.dtype == torch.float64


def broken_folder(tmp_path, how):
    folder = save_tiny(tmp_path / "mine")
    match how:
        case "no config":
            (folder / "config.json").unlink()
        case "another family":
            (folder / "config.json").write_text('{"model_type": "gpt_neo"}')
        case "pickled":
            (folder / "model.safetensors").unlink()
            torch.save(tiny_model().state_dict(), folder / "pytorch_model.bin")
        case "cut short":
            weights = folder / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:5000])
        case "a layer is missing":
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**config, "n_layer": 3}))
        case "another width":
            config = json.loads((folder / "config.json").read_text())
            (folder / "config.json").write_text(json.dumps({**config, "n_embd": 64}))
        case "no tokenizer":
            for path in folder.glob("tokenizer*"):
                path.unlink()
    return str(folder)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("no config", "no readable config.json"),
        ("another family", "of the family 'gpt_neo', not gpt2"),
        ("pickled", "no safetensors weights"),
        ("cut short", "do not load"),
        ("a layer is missing", "12 tensors such as transformer.h.2.attn.c_attn.bias are missing"),
        ("another width", "do not load"),
        ("no tokenizer", "has no tokenizer"),
    ],
)
def test_a_folder_that_is_no_model_is_one_clear_line(tmp_path, how, said):
    with pytest.raises(ScenarioError, match=said) as caught:
        load_policy(broken_folder(tmp_path, how))
    assert "\n" not in str(caught.value)


def test_code_that_comes_with_a_model_is_not_run(tmp_path):
    folder = save_tiny(tmp_path / "mine")
    marker = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()\nclass Evil: pass\n")
    for name, key in (("config.json", "AutoModelForCausalLM"), ("tokenizer_config.json", "AutoTokenizer")):
        document = json.loads((folder / name).read_text())
        target = ["evil.Evil", "evil.Evil"] if key == "AutoTokenizer" else "evil.Evil"
        (folder / name).write_text(json.dumps({**document, "auto_map": {key: target}}))
    load_policy(str(folder))
    assert not marker.exists()


@pytest.mark.parametrize("name", ["", "no/such/folder", "../x", "a b/c", "nonsense", "n" * 300, "n\0"])
def test_a_name_that_names_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match="no folder, and no name on the hub"):
        load_policy(name)


def test_only_what_the_operator_lists_is_loaded(tmp_path, monkeypatch):
    folder = save_tiny(tmp_path / "mine")
    monkeypatch.setenv(ALLOWED_VARIABLE, f"shipped, {folder}")
    load_policy(str(folder))
    shutil.copytree(folder, tmp_path / "other")
    for name in ("gpt2", str(tmp_path / "other"), f"{folder}/"):
        with pytest.raises(ScenarioError, match="is not offered here"):
            load_policy(name)


def test_a_model_that_does_not_fit_is_refused_before_it_is_loaded():
    config = {"n_embd": 768, "n_layer": 12, "vocab_size": 50257, "n_positions": 1024}
    assert parameter_count(config) == 124_439_808  # GPT-2 small
    assert 2.4e9 < training_bytes(124_439_808, "float32") < 4e9
    with pytest.raises(ScenarioError, match=r"needs about 2\.8 GB of memory, 1\.0 GB are free"):
        check_memory("gpt2", 124_439_808, "float32", available=1e9)
    check_memory("gpt2", 124_439_808, "float32", available=4e9)


def test_the_parameter_count_is_the_models():
    shape = {"n_embd": 48, "n_layer": 3, "n_head": 4, "vocab_size": 300, "n_positions": 70, "n_inner": 100}
    model = GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=0))
    assert parameter_count(shape) == sum(p.numel() for p in model.parameters())


def test_a_device_that_is_not_there():
    with pytest.raises(ScenarioError, match="not a device of this machine"):
        pick_device("tpu")
    assert pick_device("cpu").type == "cpu"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("tokenizer.json", '{"model": 3}', "the files of"),
        ("config.json", '{"model_type": "gpt2", "n_embd": null}', "has n_embd: None"),
        ("config.json", '{"model_type": "gpt2", "n_inner": "a"}', "has n_inner: a"),
        ("model.safetensors.index.json", '{"weight_map": {"a": "pytorch_model.bin"}}', "no safetensors file"),
        ("model.safetensors.index.json", '{"weight_map": {"a": "../a.safetensors"}}', "no safetensors file"),
        ("model.safetensors.index.json", "[]", "nothing that can be read"),
        ("config.json", '{"model_type": "gpt2", "n_layer": "two"}', "has n_layer: two"),
    ],
)
def test_foreign_files_are_refused_in_one_line(tmp_path, file, content, said):
    folder = save_tiny(tmp_path / "model")
    (folder / file).write_text(content)
    with pytest.raises(ScenarioError, match=said) as refused:
        load_policy(str(folder))
    assert "\n" not in str(refused.value)
