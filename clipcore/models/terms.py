"""Licence, languages and page of a model by where open_clip gets its weights: what is published, or that it is not known.

A page on the hub can change its licence, so the list of models leads there; what is said here is what the pages said once.
"""

from dataclasses import dataclass

from .locate import split_name

HUB = "https://huggingface.co/"

# How a repository on the hub begins, and the licence that the pages of this family give.
LICENCES = {
    "laion/": "MIT",
    "apple/": "Apple, research only",  # apple-amlr
    "UCSC-VLAA/": "Apache-2.0",
    "visheratin/nllb-": "CC BY-NC 4.0",
    "timm/eva02_": "MIT",
    "timm/MobileCLIP": "Apple, research only",
    "timm/PE-Core-": "Apache-2.0",
}
RESTRICTED = ("research only", "BY-NC")  # what is in the names of licences that forbid commercial use
SIGLIP = "Apache-2.0"  # the pages of timm/ViT-*-SigLIP*
METACLIP = "CC BY-NC 4.0"  # the pages of timm/*.metaclip_400m and of MetaCLIP 2
OPENAI = "MIT"  # the licence of github.com/openai/CLIP, which published these weights

SEVERAL = ("xlm-", "mt5-", "nllb-")  # how architectures that read more than English begin
ENGLISH = (
    "laion",
    "datacomp",
    "openai",
    "metaclip_",
    "dfn",
    "cc12m",
    "yfcc15m",
    "merged2b",
    "webli",
    "meta",
)  # and these tags


@dataclass(frozen=True)
class Terms:
    """licence and languages are "" where they are not known; page is "" where there is none."""

    licence: str
    languages: str
    page: str

    @property
    def restricted(self) -> bool:
        """Whether the licence forbids commercial use."""
        return any(words in self.licence for words in RESTRICTED)


def terms(name: str) -> Terms:
    """What is published of a model, by its name; all empty for a file or folder of one's own."""
    if name.startswith("hf-hub:"):
        repository = name.removeprefix("hf-hub:").split("@")[0]
        return Terms(_licence(repository, ""), "", HUB + repository)
    architecture, tag = split_name(name)
    repository = _repository(architecture, tag)
    if not repository:
        return Terms("", "", "")
    return Terms(_licence(repository, tag), _languages(architecture, tag), HUB + repository)


def _repository(architecture: str, tag: str) -> str:
    from open_clip import get_pretrained_cfg

    source = get_pretrained_cfg(architecture, tag) or {} if tag else {}
    return str(source.get("hf_hub", "")).strip("/")


def _licence(repository: str, tag: str) -> str:
    if tag == "openai":
        return OPENAI
    if tag.startswith("metaclip"):
        return METACLIP
    if repository.startswith("timm/ViT-") and "SigLIP" in repository:
        return SIGLIP
    return next((licence for start, licence in LICENCES.items() if repository.startswith(start)), "")


def _languages(architecture: str, tag: str) -> str:
    if architecture.startswith(SEVERAL) or "i18n" in architecture or "SigLIP2" in architecture or "worldwide" in tag:
        return "many"
    return "English" if tag.startswith(ENGLISH) else ""
