"""Batch norms folded away: the same answers, and less to do."""

import copy

import timm
import torch
from torch import nn

from clipcore.encoding.folding import fold_while_learning, folded


def tower(name: str) -> nn.Module:
    """A small network whose batch norms do something."""
    torch.manual_seed(0)
    made = timm.create_model(name, pretrained=False, num_classes=0)
    for module in made.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0, 0.3)
    return made.eval()


def norms(module: nn.Module) -> int:
    return sum(isinstance(part, nn.BatchNorm2d) for part in module.modules())


def test_a_folded_network_answers_the_same_without_norms() -> None:
    pictures = torch.randn(2, 3, 64, 64)
    for name in ("test_efficientnet", "tf_efficientnet_lite0", "resnet18"):
        plain = tower(name)
        made = folded(plain, pictures)
        assert norms(plain) > 0
        assert norms(made) == 0, name
        with torch.no_grad():
            torch.testing.assert_close(made(pictures), plain(pictures), atol=1e-4, rtol=1e-3)


class Backwards(nn.Module):
    """Norm first, then the convolution that was written down before it: not to be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3)
        self.norm.running_mean.fill_(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(self.norm(x)).mean((2, 3))


def test_what_would_answer_otherwise_stays_as_it_is() -> None:
    plain = Backwards().eval()
    assert folded(plain, torch.randn(2, 3, 8, 8)) is plain
    assert folded(nn.Sequential(nn.Conv2d(3, 3, 3)).eval(), torch.randn(2, 3, 8, 8))[0].bias is not None


def test_while_learning_weights_stay_where_they_were_and_have_gradients() -> None:
    plain = tower("tf_efficientnet_lite0")
    learning = fold_while_learning(copy.deepcopy(plain))
    pictures = torch.randn(2, 3, 64, 64)
    assert learning.state_dict().keys() == plain.state_dict().keys()
    torch.testing.assert_close(learning(pictures), plain(pictures), atol=1e-4, rtol=1e-3)
    for module in (learning, plain):
        module(pictures).square().sum().backward()
    expected = dict(plain.named_parameters())
    for name, parameter in learning.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, atol=1e-2, rtol=1e-2, msg=name)
