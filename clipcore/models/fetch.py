"""Getting a model from the hub and removing it again: size and space first, progress, resume, checksum.

The hub's own client does it, so its cache and its variables (HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN, proxies) count.
"""

import hashlib
import pickle
import shutil
import time
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

from ..errors import BadInput, ModelError, ModelNotHere, UnknownModel
from ..pictures.finding import display_path
from ..progress import Step
from .locate import CONFIG_FILE, STARTER, WEIGHT_FILES, locate, shortened, split_name, twins

SAY_SECONDS = 0.3  # between two steps
ROOM = 10**8  # bytes that must stay free on a disk


def iter_fetch(name: str) -> Generator[Step, None, None]:
    """Download a model into the hub's own cache; steps count megabytes. Does nothing if the model is here.

    What was received before a stop is kept and gone on from; at once, where the connection breaks off in the middle. Raises
    UnknownModel, or ModelError where the network, the hub or the disk refuses, or the file is not what the hub says.
    """
    if _is_complete(name):
        yield Step(1, 1, f"{name} is already here")
        return
    import open_clip

    yield Step(0, 0, f"asking for {name}")
    try:
        repo, needed, weights = _on_hub(name)
        yield from _fetch_files(name, repo, needed, weights)
        if not name.startswith("hf-hub:"):
            open_clip.get_tokenizer(split_name(name)[0])
        locate(name)
    except ModelError:
        raise
    except Exception as error:  # the hub's client raises its own, its transport's and the operating system's errors
        raise _refusal(name, error) from error
    yield Step(1, 1, f"{name} is here")


def download_megabytes(name: str) -> int:
    """How much `iter_fetch` would download, as the hub says. Raises as it does; 0 if the model is here."""
    if _is_complete(name):
        return 0
    try:
        repo, needed, weights = _on_hub(name)
        sizes, _ = _listing(repo)
        return -(-sum(sizes[file] for file in _wanted(repo, sizes, needed, weights)) // 10**6)
    except ModelError:
        raise
    except Exception as error:  # as in iter_fetch
        raise _refusal(name, error) from error


def remove(name: str) -> int:
    """Delete a fetched model from the hub's cache; returns the megabytes that are free again.

    Other models of the same repository go with it. Raises ModelNotHere, or BadInput for a model that lies elsewhere.
    """
    from huggingface_hub import scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    if name == STARTER or name.startswith("local-dir:"):
        raise BadInput(f"The model {name} was not fetched; delete its folder yourself if you do not want it any more.")
    locate(name)
    try:
        repo, cache = _on_hub(name)[0], scan_cache_dir()
        found = next(each for each in cache.repos if each.repo_id == repo)
    except (CacheNotFound, StopIteration, ModelError):
        raise BadInput(f"The model {name} does not lie in the hub's cache; delete its file yourself.") from None
    plan = cache.delete_revisions(*(revision.commit_hash for revision in found.revisions))
    plan.execute()
    return round(plan.expected_freed_size / 1e6)


def _is_complete(name: str) -> bool:
    """Whether nothing needs to be fetched. Raises UnknownModel, and ModelNotHere for what lies on no hub."""
    try:
        locate(name)
    except ModelNotHere:
        if name == STARTER or name.startswith("local-dir:"):
            raise
        return False
    return True


def _on_hub(name: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The repository of a model, the files it cannot do without, and the names its weights may have."""
    if name.startswith("hf-hub:"):
        return name.removeprefix("hf-hub:"), (CONFIG_FILE,), WEIGHT_FILES
    import open_clip

    said = open_clip.get_pretrained_cfg(*split_name(name)).get("hf_hub", "")
    repo, _, filename = str(said).rpartition("/")
    if not repo:
        raise UnknownModel(f"The weights {name} are not on the hub; choose others of this architecture.")
    return repo, (), twins(filename)


def _listing(repo: str) -> tuple[dict[str, int], dict[str, str]]:
    """The files of a repository: bytes, and sha256 where the hub knows it, by name."""
    from huggingface_hub import HfApi

    files = HfApi().model_info(repo, files_metadata=True).siblings or ()
    return {f.rfilename: f.size or 0 for f in files}, {f.rfilename: f.lfs["sha256"] for f in files if f.lfs}


def _wanted(repo: str, sizes: dict[str, int], needed: tuple[str, ...], weight_files: tuple[str, ...]) -> list[str]:
    """One weight file, and where a description is `needed`, it and the tokenizer's small files; the weights last."""
    weights = next((file for file in weight_files if file in sizes), None)  # many hold the same weights twice
    if weights is None or not set(needed) <= set(sizes):
        raise UnknownModel(f"The repository {repo} is not an open_clip model; choose one with weights and {CONFIG_FILE}.")
    small = [file for file in sizes if needed and "/" not in file and file.endswith((".json", ".txt", ".model"))]
    return [*small, weights]


def _refusal(name: str, error: Exception) -> ModelError:
    """Why a model cannot be fetched, with a remedy."""
    import errno

    from huggingface_hub import constants
    from huggingface_hub.errors import EntryNotFoundError, GatedRepoError, OfflineModeIsEnabled

    status = getattr(getattr(error, "response", None), "status_code", None)
    if constants.HF_HUB_OFFLINE or isinstance(error, OfflineModeIsEnabled):
        return ModelError(
            f"The model {name} could not be fetched: HF_HUB_OFFLINE is set; unset it and try again.",
            page=f"{name} could not be fetched. Sayso was started to stay offline; start it anew without that.",
        )
    if isinstance(error, GatedRepoError) or status == 403:
        return ModelError(
            f"The hub gives {name} only to those who accepted its terms; do so on its page, then log in with hf auth login.",
            page=f"The hub gives {name} only to those who accepted its terms. Choose another model.",
        )
    if status == 401:
        return ModelError(
            f"The hub has no public model for {name}; check the name, or log in with hf auth login if it is private.",
            page=f"The hub has no public model for {name}. Check the name, or choose another.",
        )
    if status == 404 or isinstance(error, EntryNotFoundError):
        return ModelError(f"The hub has no model for {name}; check the name.")
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return ModelError(
            f"The disk became full while {name} was fetched; free some space and try again, it goes on where it stopped."
        )
    if status is None and any("Connect" in kind.__name__ or "Timeout" in kind.__name__ for kind in type(error).__mro__):
        return ModelError(
            f"The hub could not be reached for {name}; check network, proxy and HF_ENDPOINT, then try again.",
            page=f"The hub could not be reached for {name}. Check the network, then get it again.",
        )
    return ModelError(f"The model {name} could not be fetched ({shortened(error)}); check network, name and free space.")


def _fetch_files(
    name: str, repo: str, needed: tuple[str, ...], weight_files: tuple[str, ...] = WEIGHT_FILES
) -> Generator[Step, None, None]:
    """Download what `_wanted` names, and see that it is what the hub says."""
    from huggingface_hub import constants, hf_hub_download

    sizes, digests = _listing(repo)
    files = _wanted(repo, sizes, needed, weight_files)
    total = sum(sizes[file] for file in files)
    free = _free_bytes(Path(constants.HF_HUB_CACHE))
    if free < total + ROOM:
        where = display_path(constants.HF_HUB_CACHE)
        raise ModelError(
            f"The model {name} needs {total / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free in {where}; "
            "free some space, or set HF_HOME to a larger disk.",
            page=f"{name} needs {total / 1e9:.1f} GB, but only {free / 1e9:.1f} GB are free. Free some, then get it again.",
        )
    for file in files[:-1]:
        hf_hub_download(repo, file)
    received = total - sizes[files[-1]]
    path = yield from _iter_receive(repo, files[-1], Step(received, total, f"fetching {name}"))
    digest = digests.get(files[-1])
    if digest and _sha256(path) != digest:
        path.unlink()  # the next try must not go on from it
        raise ModelError(f"The file {files[-1]} of {name} arrived damaged (its checksum is wrong); fetch it again.")
    if not digest and not _opens(path, files[-1]):
        path.unlink()
        raise ModelError(
            f"The file {files[-1]} of {name} holds no weights that can be read: it arrived damaged, or holds program code; "
            "it was removed, so fetch it again, or choose another model.",
            page=f"What arrived of {name} is damaged and was removed. Get it again, or choose another model.",
        )
    path.replace(path.with_suffix(""))
    hf_hub_download(repo, files[-1])  # finds the bytes where it would have put them, and files them under their name


def _iter_receive(repo: str, file: str, step: Step) -> Generator[Step, None, Path]:
    """The bytes of a large file, beside where the hub's client keeps them; goes on where an earlier try stopped.

    The client itself begins anew each time. `step` counts bytes before these; the ones given count megabytes.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status  # type: ignore[attr-defined]

    url = hf_hub_url(repo, file)
    etag = get_hf_file_metadata(url).etag
    blobs = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=repo, repo_type="model") / "blobs"
    blobs.mkdir(parents=True, exist_ok=True)
    path, size = blobs / f"{etag}.part", step.total - step.done

    def receive(out: BinaryIO) -> Generator[Step, None, None]:
        begin = out.tell()
        headers = build_hf_headers() | ({"Range": f"bytes={begin}-"} if begin else {})
        with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
            hf_raise_for_status(response)
            if begin and response.status_code != 206:  # it sends everything again
                out.truncate(0)
            said = 0.0
            for chunk in response.iter_bytes():
                out.write(chunk)
                if time.monotonic() - said > SAY_SECONDS:
                    said = time.monotonic()
                    yield Step((step.done + out.tell()) // 10**6, step.total // 10**6, step.message)

    with path.open("ab") as out:
        while (begin := out.tell()) < size:
            try:
                yield from receive(out)
            except Exception as error:
                if not _broke_off(error) or not out.tell():
                    raise
                if out.tell() <= begin:  # nothing came: more of the same is no use
                    raise ModelError(
                        f"The download of {repo} broke off; fetch it again, it goes on where it stopped."
                    ) from error
                continue  # as bad lines do: go on from there
            break
    if path.stat().st_size != size:
        if path.stat().st_size > size:
            path.unlink()
        raise ModelError(f"The file {file} of {repo} did not arrive whole; fetch it again, it goes on where it stopped.")
    yield Step(step.total // 10**6, step.total // 10**6, "checking")
    return path


def _broke_off(error: Exception) -> bool:
    """Whether the transport failed, and not the hub; its classes have the same names whichever client the hub uses."""
    return any(kind.__name__ == "TransportError" for kind in type(error).__mro__)


def _opens(path: Path, name: str) -> bool:
    """Whether a weight file can be read as what its name says; all that can be seen where the hub tells no checksum.

    Of safetensors only the table of contents is read, which says how long the file must be; of a checkpoint its structure.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    try:
        if name.endswith(".safetensors"):
            with safe_open(path, "pt") as weights:
                return bool(weights.keys())
        try:
            return bool(torch.load(path, map_location="cpu", weights_only=True, mmap=True))
        except RuntimeError:  # the format before torch 1.6, which cannot be mapped
            return bool(torch.load(path, map_location="cpu", weights_only=True))
    except (SafetensorError, OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError):
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _free_bytes(folder: Path) -> int:
    """On the disk where the folder is, or will be."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    return shutil.disk_usage(there).free
