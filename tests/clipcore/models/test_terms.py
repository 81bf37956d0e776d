"""Licence, languages and page of the models in the list."""

import pytest

from clipcore.models.catalogue import CURATED, ModelInfo, catalogue, describe
from clipcore.models.terms import HUB, terms
from ui.models.list_view import _licence, _unknown


@pytest.mark.parametrize(
    ("name", "licence", "languages"),
    [
        ("ViT-H-14/laion2b_s32b_b79k", "MIT", "English"),
        ("ViT-L-14/openai", "MIT", "English"),
        ("ViT-H-14-quickgelu/dfn5b", "Apple, research only", "English"),
        ("ViT-B-16-SigLIP/webli", "Apache-2.0", "English"),
        ("ViT-B-16-SigLIP2/webli", "Apache-2.0", "many"),
        ("ViT-B-32-quickgelu/metaclip_400m", "CC BY-NC 4.0", "English"),
        ("nllb-clip-base/v1", "CC BY-NC 4.0", "many"),
        ("EVA02-L-14/merged2b_s4b_b131k", "MIT", "English"),
        ("PE-Core-B-16/meta", "Apache-2.0", "English"),
        ("MobileCLIP2-S0/dfndr2b", "Apple, research only", "English"),
        ("ViT-H-14-worldwide/metaclip2_worldwide", "CC BY-NC 4.0", "many"),
    ],
)
def test_what_is_published_of_families(name, licence, languages):
    told = terms(name)
    assert (told.licence, told.languages) == (licence, languages)
    assert told.page.startswith(HUB)


def test_every_published_model_has_a_licence_or_a_page_to_look_at():
    listed = [info for info in catalogue(everything=True) if info.name != "starter"]
    assert len(listed) > 100
    for info in listed:
        assert info.page.startswith(HUB), info.name
        assert info.licence or "unknown: see <a" in _licence(info)
    assert all(terms(name).licence for name in CURATED)
    restricted = {info.name for info in listed if info.restricted}
    assert {"MobileCLIP2-S0/dfndr2b", "ViT-B-16/dfn2b", "ViT-L-14-quickgelu/metaclip_fullcc"} <= restricted
    assert not restricted & {"PE-Core-B-16/meta", "ViT-B-32-256/datacomp_s34b_b86k", "ViT-B-16-SigLIP2-256/webli"}
    said = {info.name: _licence(info) for info in listed}
    assert "not for commercial use" in said["MobileCLIP2-S0/dfndr2b"]
    assert "not for commercial use" not in said["PE-Core-B-16/meta"]


def test_a_model_of_ones_own_has_no_page(tmp_path):
    assert terms(f"local-dir:{tmp_path}").page == ""
    assert terms("ViT-B-32/my.pt").page == ""
    assert _unknown(ModelInfo("local-dir:x", "")) == ""


def test_a_model_of_the_hub_leads_to_its_page():
    info = describe("hf-hub:someone/some-model")
    assert (info.licence, info.page) == ("", f"{HUB}someone/some-model")
    assert f'href="{HUB}someone/some-model"' in _licence(info)


def test_what_a_page_says_is_escaped():
    assert "<b>" not in _licence(ModelInfo("x", "", licence="<b>", page='https://x/"<b>'))
