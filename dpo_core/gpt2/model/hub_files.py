"""Fetching a model's files from the Hugging Face hub: config first, then tokenizer and weights."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import httpx2 as httpx
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from tqdm.auto import tqdm

from dpo_core.errors import ScenarioError
from dpo_core.gpt2.spec.report import Report

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
)


def fetch(name: str, check_config: Callable[[Path], Any], report: Report) -> Path:
    """The local folder of the hub's model ``name``, downloaded as far as it is not there yet.

    ``check_config`` looks at the folder once config.json is there, before the weights are asked for. A line
    that breaks is taken up again where it broke; when it stays broken, the whole files that have arrived are
    kept. Raises ScenarioError.
    """
    try:
        report("asking the hub", None)
        folder = Path(hf_hub_download(name, "config.json")).parent
        check_config(folder)
        listed = _listed(name)
        names = listed if listed is not None else {path.name for path in folder.iterdir()}
        weights = sorted(n for n in names if n.endswith(".safetensors") and "/" not in n)
        if not weights and listed is None:
            raise _out_of_reach(name)
        if not weights:
            raise ScenarioError(
                "model",
                f"{name} has no safetensors weights",
                "Choose another model; pickled weights can run code and are not read",
            )
        wanted = [n for n in (*TOKENIZER_FILES, "model.safetensors.index.json") if n in names] + weights
        for file in wanted:
            hf_hub_download(name, file, tqdm_class=_progress(file, report))
    except ScenarioError:
        raise
    except (GatedRepoError, RepositoryNotFoundError, HFValidationError, EntryNotFoundError, OSError) as error:
        raise _explained(name, error) from None
    except httpx.HTTPError as error:
        raise _explained(name, error) from None
    return folder


def _listed(name: str) -> Collection[str] | None:
    """The names of the model's files by the hub's own list; None when the hub is out of reach."""
    try:
        return {sibling.rfilename for sibling in HfApi().model_info(name).siblings or ()}
    except (httpx.TransportError, OfflineModeIsEnabled):
        return None


def _out_of_reach(name: str) -> ScenarioError:
    return ScenarioError(
        "model",
        f"the hub cannot be reached, and {name} is not on this machine yet",
        "Check the connection, or choose the shipped model",
    )


def _explained(name: str, error: Exception) -> ScenarioError:
    match error:
        case GatedRepoError():
            return ScenarioError(
                "model", f"{name} is gated: its owner must grant access", "Choose another model"
            )
        case RepositoryNotFoundError() | HFValidationError():
            return ScenarioError(
                "model", f"the hub has no public model {name}", "Check the spelling of OWNER/NAME"
            )
        case LocalEntryNotFoundError() | OfflineModeIsEnabled() | httpx.ConnectError():
            return _out_of_reach(name)
        case EntryNotFoundError():
            return ScenarioError("model", f"{name} on the hub has no config.json", "Choose a GPT-2 model")
        case HfHubHTTPError():
            return ScenarioError(
                "model", f"the hub answered {error.response.status_code} for {name}", "Try again later"
            )
    return ScenarioError(
        "model",
        f"the download of {name} broke off ({type(error).__name__})",
        "Try again; files that have arrived whole are kept",
    )


def _progress(file: str, report: Report) -> type[Any]:
    class Reported(tqdm):
        """Tells ``report`` how far the download is, and draws nothing."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            kwargs.pop("name", None)
            kwargs["disable"] = False
            kwargs["file"] = _Nowhere()
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool | None:
            drawn = super().update(n)
            report(f"downloading {file}", min(1.0, self.n / self.total) if self.total else None)
            return drawn

    return Reported


class _Nowhere:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass
