"""Gates that a map opens for its own channels or positions, as people write them."""

# Modules of PyTorch return anything, as mypy sees it.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

C = 8


class SqueezeExcite(nn.Module):
    """Hu et al., arXiv:1709.01507, with views and linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Sequential(
            nn.Linear(C, 4, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(4, C, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b, c, _, _ = x.size()
        y = self.fc(self.pool(x).view(b, c)).view(b, c, 1, 1)
        return x * y.expand_as(x)


class EfficientChannelAttention(nn.Module):
    """Wang et al., arXiv:1910.03151."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.conv = nn.Conv1d(1, 1, kernel_size=3, padding=1, bias=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        y = self.pool(x)
        y = self.conv(y.squeeze(-1).transpose(-1, -2)).transpose(-1, -2).unsqueeze(-1)
        return x * self.sigmoid(y).expand_as(x)


class Cbam(nn.Module):
    """Woo et al., arXiv:1807.06521: a gate of channels, then one of positions."""

    def __init__(self) -> None:
        super().__init__()
        self.avg_pool, self.max_pool = nn.AdaptiveAvgPool2d(1), nn.AdaptiveMaxPool2d(1)
        self.mlp = nn.Sequential(
            nn.Conv2d(C, 4, 1, bias=False), nn.ReLU(), nn.Conv2d(4, C, 1, bias=False)
        )
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = x * torch.sigmoid(self.mlp(self.avg_pool(x)) + self.mlp(self.max_pool(x)))
        average = torch.mean(x, dim=1, keepdim=True)
        largest, _ = torch.max(x, dim=1, keepdim=True)
        return x * torch.sigmoid(self.conv(torch.cat([average, largest], dim=1)))


class SelectiveKernel(nn.Module):
    """SKNet (arXiv:1903.06586): two branches, weighted by a softmax over both."""

    def __init__(self) -> None:
        super().__init__()
        self.conv3, self.conv5 = nn.Conv2d(C, C, 3, padding=1), nn.Conv2d(C, C, 5, padding=2)
        self.fc, self.fcs = nn.Linear(C, 4), nn.ModuleList([nn.Linear(4, C), nn.Linear(4, C)])

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        a, b = self.conv3(x), self.conv5(x)
        z = functional.relu(self.fc((a + b).mean(-1).mean(-1)))
        first, second = (torch.sigmoid(fc(z))[..., None, None] for fc in self.fcs)
        return a * first + b * second


class GlobalContext(nn.Module):
    """GCNet (arXiv:1904.11492): a mean weighted by a softmax over positions."""

    def __init__(self) -> None:
        super().__init__()
        self.mask = nn.Conv2d(C, 1, 1)
        self.transform = nn.Sequential(nn.Conv2d(C, 4, 1), nn.ReLU(), nn.Conv2d(4, C, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b, c, h, w = x.size()
        weights = self.mask(x).view(b, 1, h * w).softmax(dim=2).unsqueeze(-1)
        context = torch.matmul(x.view(b, c, h * w).unsqueeze(1), weights).view(b, c, 1, 1)
        return x * torch.sigmoid(self.transform(context))


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "squeeze and excitation": SqueezeExcite,
    "efficient channel attention": EfficientChannelAttention,
    "CBAM": Cbam,
    "selective kernel": SelectiveKernel,
    "global context": GlobalContext,
}
