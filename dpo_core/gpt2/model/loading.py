"""Which models may be loaded, and from where: the shipped one, the hub, a local folder.

Weights are read from safetensors only (pickled ones can run code), no code that comes with a model is ever
run, and only GPT-2's own architecture is accepted. ``DPO_LAB_MODELS`` (names, separated by commas) is an
operator's list: where it is set, nothing else is loaded.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import AutoTokenizer, GPT2LMHeadModel
from transformers.utils import logging as transformers_logging

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.model import hub_files
from dpo_core.gpt2.model.memory import check_memory, is_out_of_memory, no_memory, too_small
from dpo_core.gpt2.model.policy import Policy
from dpo_core.gpt2.spec.defaults import SHIPPED
from dpo_core.gpt2.spec.offered import allowed_models, is_allowed
from dpo_core.gpt2.spec.report import Report, quiet
from dpo_core.gpt2.spec.shipped_files import MODEL_FOLDER

ON_HUB = {"gpt2": "openai-community/gpt2", "distilgpt2": "distilbert/distilgpt2"}


def check_allowed(name: str) -> None:
    """Raises ScenarioError for a model that the operator has not listed."""
    if not is_allowed(name):
        offered = ", ".join(allowed_models() or ()) or "none"
        raise ScenarioError("model", f"{name!r} is not offered here", f"Choose one of {offered}")


def pick_device(wanted: str = "auto") -> torch.device:
    """CUDA, else MPS, else the CPU; or the one that is asked for, if the machine has it."""
    have = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, there in have.items() if there))
    if not have.get(wanted, False):
        raise ScenarioError(
            "device",
            f"{wanted!r} is not a device of this machine",
            f"Use auto, {', '.join(k for k, v in have.items() if v)}",
        )
    return torch.device(wanted)


def load_policy(name: str, dtype: str = "float32", device: str = "cpu", report: Report = quiet) -> Policy:
    """The policy called ``name``: "shipped", "gpt2", "distilgpt2", a hub name, or a local folder.

    Raises ScenarioError, in one line, for everything that can go wrong: a name that is not allowed or not
    found, no connection, another architecture, pickled or damaged weights, too little memory.
    """
    check_allowed(name)
    where = pick_device(device)
    if where.type == "mps" and dtype == "float64":
        raise ScenarioError("dtype", "MPS devices have no float64", "Use float32, or the device cpu")

    def fits(folder: Path) -> None:
        config = read_config(name, folder)
        if where.type == "cpu":
            check_memory(name, parameter_count(config), dtype)

    folder = _folder(name, fits, report)
    report("loading", None)
    policy = _load(name, folder, dtype)
    try:
        policy.cast(where)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        policy.cast(torch.device("cpu"))
        report(too_small(where.type), None)
    return policy


def _folder(name: str, fits: Callable[[Path], None], report: Report) -> Path:
    """Where the model's files are, once ``fits`` has let their config pass: before a download of weights."""
    if name == SHIPPED:
        if not (MODEL_FOLDER / "model.safetensors").is_file():
            raise ScenarioError(
                "model",
                "the shipped model is missing",
                "Make it with python -m dpo_core.gpt2.making.pretrain",
            )
        fits(MODEL_FOLDER)
        return MODEL_FOLDER
    try:
        local = Path(name).expanduser()
        is_folder = local.is_dir()
    except (RuntimeError, OSError, ValueError):  # ~ and an unknown user, a name that is too long, a NUL
        local, is_folder = Path(name), False
    if name.strip() and name not in ON_HUB and is_folder:
        fits(local)
        return local
    hub_name = ON_HUB.get(name, name)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[\w.-]+", hub_name):
        raise ScenarioError(
            "model",
            f"{name[:80]!r} is no folder, and no name on the hub",
            "Write shipped, gpt2, distilgpt2, OWNER/NAME, or the path of a folder",
        )
    return hub_files.fetch(hub_name, fits, report)


def read_config(name: str, folder: Path) -> dict[str, Any]:
    """The model's config.json; ScenarioError unless it is a GPT-2's."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        family = config["model_type"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ScenarioError(
            "model", f"{name} has no readable config.json that says what it is", "Choose a GPT-2 model"
        ) from None
    if family != "gpt2":
        raise ScenarioError(
            "model", f"{name} is of the family {str(family)[:40]!r}, not gpt2", "Choose a GPT-2 model"
        )
    inner = config.get("n_inner")
    if inner is not None and (not isinstance(inner, int) or inner < 1):
        raise ScenarioError(
            "model", f"the config.json of {name} has n_inner: {str(inner)[:20]}", "Fetch or save it again"
        )
    for key in ("n_embd", "n_layer", "n_head", "vocab_size", "n_positions"):
        size = config.get(key, 1)
        if not isinstance(size, int) or size < 1:
            raise ScenarioError(
                "model", f"the config.json of {name} has {key}: {str(size)[:20]}", "Fetch or save it again"
            )
    return dict(config)


def parameter_count(config: dict[str, Any]) -> int:
    """Number of parameters of a GPT-2 with this config."""
    width, layers = int(config.get("n_embd", 768)), int(config.get("n_layer", 12))
    inner = int(config.get("n_inner") or 4 * width)
    block = 4 * width * width + 2 * width * inner + 9 * width + inner  # attention, MLP, biases, two norms
    embedded = int(config.get("vocab_size", 50257)) + int(config.get("n_positions", 1024))
    return embedded * width + layers * block + 2 * width


def _check_index(name: str, folder: Path) -> None:
    """Raises ScenarioError where the list of the weights' files names one that is no safetensors file."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return
    try:
        files = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        files = {"nothing that can be read"}
    for file in sorted(map(str, files)):
        if not file.endswith(".safetensors") or Path(file).name != file:
            raise ScenarioError(
                "model",
                f"the weights of {name} are in {file[:80]!r}, which is no safetensors file of that folder",
                "Save it with save_pretrained; pickled weights can run code and are not read",
            )


def _load(name: str, folder: Path, dtype: str) -> Policy:
    if not any(folder.glob("*.safetensors")):
        raise ScenarioError(
            "model",
            f"{name} has no safetensors weights",
            "Save it with save_pretrained; pickled weights can run code and are not read",
        )
    _check_index(name, folder)
    if not any((folder / file).is_file() for file in ("tokenizer.json", "vocab.json")):
        raise ScenarioError("model", f"{name} has no tokenizer", "Save model and tokenizer together")
    transformers_logging.disable_progress_bar()
    try:
        loaded: Any = GPT2LMHeadModel.from_pretrained(
            folder,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
        model, info = loaded
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except Exception as error:  # foreign files: the tokenizer's reader raises bare Exceptions
        if is_out_of_memory(error):
            raise no_memory(name) from None
        first_line = (str(error).strip().splitlines() or ["no reason given"])[0][:200]
        raise ScenarioError(
            "model", f"the files of {name} do not load: {first_line}", "Fetch or save the model again"
        ) from None
    missing = sorted(set(info["missing_keys"]) - {"lm_head.weight"})  # tied to the embedding
    if missing:
        raise ScenarioError(
            "model",
            f"the weights of {name} are incomplete: {len(missing)} tensors such as {missing[0]} are missing",
            "Fetch or save the model again",
        )
    if (
        tokenizer.eos_token_id is None
        or max(len(tokenizer), tokenizer.eos_token_id + 1) > model.config.vocab_size
    ):
        raise ScenarioError(
            "model",
            f"the tokenizer of {name} does not fit the model, or has no end-of-text token",
            "Save model and tokenizer together",
        )
    return Policy(model, tokenizer, name, dtype)
