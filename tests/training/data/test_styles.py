import numpy as np
import pytest
import torch

from training.data.styles import cartoon, drawing, grey, painting, restyle


def half_black_half_white():
    x = torch.zeros(1, 3, 8, 8)
    x[:, :, :, 4:] = 255
    return x


def test_a_drawing_is_white_paper_with_a_dark_line_at_the_edge():
    lines = drawing(half_black_half_white(), np.random.default_rng(0))
    assert (lines[..., 3:5] == 0).all()
    assert (lines[..., :3] == 255).all()
    assert (lines[..., 5:] == 255).all()


def test_grey_has_no_colour_left_and_keeps_its_brightness():
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 100
    assert torch.allclose(grey(red), torch.full((1, 3, 2, 2), 29.9))


@pytest.mark.parametrize("style", [painting, cartoon])
def test_paintings_and_cartoons_have_few_colours_within_range(style):
    x = torch.rand(4, 3, 16, 16, generator=torch.manual_seed(0)) * 255
    done = style(x, np.random.default_rng(0))
    assert done.shape == x.shape
    assert float(done.min()) >= 0
    assert float(done.max()) <= 255
    assert len(painting(x, np.random.default_rng(0)).unique()) <= 9


def test_about_the_share_that_was_asked_for_is_redrawn_and_the_rest_untouched():
    x = torch.rand(400, 3, 8, 8, generator=torch.manual_seed(0)) * 255
    done = restyle(x.clone(), 0.25, np.random.default_rng(0))
    changed = (done != x).flatten(1).any(1)
    assert 60 < int(changed.sum()) < 140
    assert torch.equal(restyle(x.clone(), 0.0, np.random.default_rng(0)), x)
