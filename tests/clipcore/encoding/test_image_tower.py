"""Half precision of an image tower: its heavy layers' type, its residual stream, and what it changes."""

import copy

import pytest
import torch
from open_clip.transformer import VisionTransformer
from torch import nn

from clipcore.encoding.image_tower import set_precision
from clipcore.models.towers import SaysoResNet9

HALF = torch.bfloat16
PIXELS = torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def vit() -> nn.Module:
    torch.manual_seed(0)
    return VisionTransformer(32, 8, 64, layers=8, heads=2, mlp_ratio=4, output_dim=24).eval()


def off(tower: nn.Module, exact: torch.Tensor) -> float:
    """How far a tower's vectors are from the exact ones, what all pictures share left out."""
    with torch.no_grad():
        return float((tower(PIXELS).float() - exact).norm() / (exact - exact.mean(0)).norm())


def test_heavy_layers_are_in_half_precision_and_the_rest_is_not(vit):
    set_precision(vit, HALF)
    assert vit.conv1.weight.dtype == vit.transformer.resblocks[3].mlp.c_fc.weight.dtype == HALF
    attention = vit.transformer.resblocks[3].attn
    assert attention.in_proj_weight.dtype == attention.out_proj.weight.dtype == HALF
    assert vit.transformer.resblocks[3].ln_1.weight.dtype == vit.proj.dtype == torch.float32


def test_the_residual_stream_stays_in_float32(vit):
    seen = []
    for block in vit.transformer.resblocks:
        block.register_forward_hook(lambda module, args, output: seen.append(output.dtype))
    with torch.no_grad():
        for pixels in (PIXELS, PIXELS.to(HALF)):
            assert set_precision(vit, HALF)(pixels).dtype == torch.float32
    assert seen == [torch.float32] * 16


def test_it_is_several_times_closer_than_a_tower_rounded_whole(vit):
    with torch.no_grad():
        exact = vit(PIXELS)
        whole = copy.deepcopy(vit).to(HALF)
        rounded = float((whole(PIXELS.to(HALF)).float() - exact).norm() / (exact - exact.mean(0)).norm())
    assert 0 < off(set_precision(vit, HALF), exact) < rounded / 2


@pytest.mark.parametrize("make", [lambda vit: vit, lambda vit: SaysoResNet9(16).eval()])
def test_said_twice_it_is_the_same_and_float32_takes_it_back(make, vit):
    tower = make(vit)
    with torch.no_grad():
        before = tower(PIXELS)
        once = set_precision(tower, HALF)(PIXELS)
        hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in tower.modules())
        assert torch.equal(set_precision(tower, HALF)(PIXELS), once)
        assert hooks == sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in tower.modules())
        after = set_precision(tower, torch.float32)(PIXELS)
    assert {weights.dtype for weights in tower.parameters()} == {torch.float32}
    assert not torch.equal(once, before)
    assert torch.allclose(after, before, rtol=0.05, atol=0.05)  # the weights were rounded meanwhile


def test_float32_is_left_as_it_is(vit):
    with torch.no_grad():
        before = vit(PIXELS)
        assert torch.equal(set_precision(vit, torch.float32)(PIXELS), before)


def test_a_copy_is_a_tower_of_its_own(vit):
    made = set_precision(copy.deepcopy(vit), HALF)
    assert vit.conv1.weight.dtype == torch.float32
    with torch.no_grad():
        assert torch.equal(copy.deepcopy(made)(PIXELS), made(PIXELS))


def test_a_norm_without_weights_is_passed_by():
    tower = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4, elementwise_affine=False), nn.Linear(4, 2)).eval()
    with torch.no_grad():
        assert set_precision(tower, HALF)(torch.ones(3, 4)).shape == (3, 2)


def test_query_key_and_value_stay_one_tensor(vit):
    """Else attention takes its slower way."""
    seen = []
    for block in set_precision(vit, HALF).transformer.resblocks:
        block.attn.register_forward_pre_hook(
            lambda module, args, kwargs: seen.append((*args, *kwargs.values())), with_kwargs=True
        )
    with torch.no_grad():
        vit(PIXELS)
    tensors = [[value for value in given if isinstance(value, torch.Tensor)] for given in seen]
    assert [len(own) for own in tensors] == [3] * 8
    assert all(len(set(map(id, own))) == 1 and own[0].dtype == HALF for own in tensors)


def test_it_can_be_compiled_in_one_piece(vit):
    """As is done on a GPU. The compiler's first half, which would stop at what it cannot follow, needs none."""
    set_precision(vit, HALF)
    with torch.no_grad():
        expected = vit(PIXELS)
        found = torch.compile(vit, backend="eager", fullgraph=True, dynamic=False)(PIXELS)
    assert torch.allclose(found, expected, atol=1e-2)
