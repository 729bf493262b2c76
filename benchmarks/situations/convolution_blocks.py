"""Blocks of convolutional networks as people write them; each takes a map (B, 8, 8, 8)."""

# Modules of PyTorch return anything, as mypy sees it.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

C = 8


class Ghost(nn.Module):
    """Han et al., arXiv:1911.11907."""

    def __init__(self) -> None:
        super().__init__()
        self.primary = nn.Sequential(
            nn.Conv2d(C, 6, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True)
        )
        self.cheap = nn.Sequential(
            nn.Conv2d(6, 6, 3, 1, 1, groups=6, bias=False), nn.BatchNorm2d(6), nn.ReLU(inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x1 = self.primary(x)
        x2 = self.cheap(x1)
        return torch.cat([x1, x2], dim=1)[:, :C, :, :]


class ShuffleUnit(nn.Module):
    """ShuffleNetV2 (arXiv:1807.11164), with the shuffle that torchvision writes."""

    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
            nn.Conv2d(4, 4, 3, padding=1, groups=4, bias=False), nn.BatchNorm2d(4),
            nn.Conv2d(4, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.last = nn.Conv2d(C, C, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x1, x2 = x.chunk(2, dim=1)
        out = torch.cat((x1, self.branch(x2)), dim=1)
        b, c, h, w = out.size()
        out = out.view(b, 2, c // 2, h, w).transpose(1, 2).contiguous().view(b, c, h, w)
        return self.last(out)


class CoordConv(nn.Module):
    """Liu et al., arXiv:1807.03247: coordinates as two more channels."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C + 2, C, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        b, _, h, w = x.shape
        ys = torch.linspace(-1, 1, h, device=x.device)
        xs = torch.linspace(-1, 1, w, device=x.device)
        yy, xx = torch.meshgrid(ys, xs, indexing="ij")
        grid = torch.stack([yy, xx]).unsqueeze(0).expand(b, -1, -1, -1)
        return self.conv(torch.cat([x, grid], dim=1))


class ConvNeXt(nn.Module):
    """Liu et al., arXiv:2201.03545, as the authors wrote it; stochastic depth rests in eval."""

    def __init__(self) -> None:
        super().__init__()
        self.dwconv = nn.Conv2d(C, C, kernel_size=7, padding=3, groups=C)
        self.norm = nn.LayerNorm(C, eps=1e-6)
        self.pwconv1, self.act, self.pwconv2 = nn.Linear(C, 16), nn.GELU(), nn.Linear(16, C)
        self.gamma = nn.Parameter(0.5 * torch.ones(C))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        shortcut = x
        x = self.dwconv(x).permute(0, 2, 3, 1)
        x = self.pwconv2(self.act(self.pwconv1(self.norm(x))))
        x = (self.gamma * x).permute(0, 3, 1, 2)
        return shortcut + drop_path(x, 0.1, self.training)


def drop_path(x: Tensor, probability: float, training: bool) -> Tensor:
    """Leave out whole images while training."""
    if probability == 0.0 or not training:
        return x
    keep = 1 - probability
    mask = keep + torch.rand((x.shape[0],) + (1,) * (x.ndim - 1), device=x.device)
    return x.div(keep) * mask.floor_()


class ChannelsFirstNorm(nn.Module):
    """LayerNorm over channels of a map, spelled with means."""

    def __init__(self) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(C)), nn.Parameter(torch.zeros(C))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        u = x.mean(1, keepdim=True)
        s = (x - u).pow(2).mean(1, keepdim=True)
        x = (x - u) / torch.sqrt(s + 1e-6)
        return self.weight[:, None, None] * x + self.bias[:, None, None]


class HardSwish(nn.Module):
    """MobileNetV3 before PyTorch had the function."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, C, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = self.conv(x)
        return x * functional.relu6(x + 3.0, inplace=True) / 6.0


class InvertedResidual(nn.Module):
    """MobileNetV2."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(C, 16, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU6(inplace=True),
            nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16), nn.ReLU6(inplace=True),
            nn.Conv2d(16, C, 1, bias=False), nn.BatchNorm2d(C),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        return x + self.conv(x)


class PadShortcut(nn.Module):
    """The shortcut of CIFAR's ResNets (option A): every second pixel, channels of zeros."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, 16, 3, stride=2, padding=1)
        self.fit = nn.Conv2d(16, C, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        shortcut = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 4, 4), "constant", 0)
        return self.fit(functional.relu(self.conv(x) + shortcut))


class SamePadding(nn.Module):
    """Convolutions ported from TensorFlow: more zeros at the end than at the beginning."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, C, 3, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        height, width = x.shape[-2:]
        pad_h = max((-(-height // 2) - 1) * 2 + 3 - height, 0)
        pad_w = max((-(-width // 2) - 1) * 2 + 3 - width, 0)
        x = functional.pad(x, [pad_w // 2, pad_w - pad_w // 2, pad_h // 2, pad_h - pad_h // 2])
        return self.conv(x)


class GemPooling(nn.Module):
    """Generalized mean pooling (Radenovic et al., arXiv:1711.02512), broadcast over the map."""

    def __init__(self) -> None:
        super().__init__()
        self.p, self.eps = 3.0, 1e-6

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        y = functional.avg_pool2d(x.clamp(min=self.eps).pow(self.p), (x.size(-2), x.size(-1)))
        return y.pow(1.0 / self.p)


class Inception(nn.Module):
    """Branches that are concatenated, one of them through a pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.branch1 = nn.Conv2d(C, 4, 1)
        self.branch3 = nn.Sequential(nn.Conv2d(C, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))
        self.branch5 = nn.Conv2d(C, 4, 5, padding=2)
        self.branch_pool = nn.Conv2d(C, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        pooled = functional.avg_pool2d(x, kernel_size=3, stride=1, padding=1)
        outputs = [self.branch1(x), self.branch3(x), self.branch5(x), self.branch_pool(pooled)]
        return torch.cat(outputs, 1)


class DenseLayer(nn.Module):
    """DenseNet: norm, activation, convolution; the input stays."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.conv = nn.BatchNorm2d(C), nn.Conv2d(C, 4, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        return torch.cat([x, self.conv(functional.relu(self.norm(x)))], 1)


class PixelShuffled(nn.Module):
    """Space to depth, a convolution, depth to space."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C * 4, C * 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        return functional.pixel_shuffle(self.conv(functional.pixel_unshuffle(x, 2)), 2)


class Focus(nn.Module):
    """YOLOv5's first layer: four slices of every second pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C * 4, C, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        parts = [x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]]
        return self.conv(torch.cat(parts, 1))


class Csp(nn.Module):
    """YOLOv8's C2f: chunks, a list that grows, one concatenation."""

    def __init__(self) -> None:
        super().__init__()
        self.cv1, self.cv2 = nn.Conv2d(C, 8, 1), nn.Conv2d(16, C, 1)
        self.m = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        y = list(self.cv1(x).chunk(2, 1))
        y.extend(m(y[-1]) for m in self.m)
        return self.cv2(torch.cat(y, 1))


class SpatialPyramid(nn.Module):
    """SPPF: a max pooling used three times."""

    def __init__(self) -> None:
        super().__init__()
        self.cv1, self.cv2 = nn.Conv2d(C, 4, 1), nn.Conv2d(16, C, 1)
        self.m = nn.MaxPool2d(5, 1, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = functional.silu(self.cv1(x))
        y1 = self.m(x)
        y2 = self.m(y1)
        return self.cv2(torch.cat([x, y1, y2, self.m(y2)], 1))


class UNetLevel(nn.Module):
    """Down, up by interpolation, and a skip connection."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.out = nn.Conv2d(C, 16, 3, padding=1), nn.Conv2d(24, C, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        y = functional.relu(self.down(functional.max_pool2d(x, 2)))
        y = functional.interpolate(y, scale_factor=2, mode="nearest")
        return self.out(torch.cat([x, y], dim=1))


class PartialConv(nn.Module):
    """FasterNet (arXiv:2303.03667): a part of the channels is convolved, in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.last = nn.Conv2d(2, 2, 3, padding=1, bias=False), nn.Conv2d(C, C, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        x = x.clone()
        x[:, :2, :, :] = self.conv(x[:, :2, :, :])
        return self.last(x)


class ShiftedChannels(nn.Module):
    """Shifts by slices in place (ShiftViT, arXiv:2201.10801), two of the four directions."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Conv2d(C, C, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        out = torch.zeros_like(x)
        out[:, :2, :, :-1] = x[:, :2, :, 1:]
        out[:, 2:4, :, 1:] = x[:, 2:4, :, :-1]
        out[:, 4:] = x[:, 4:]
        return self.fc(out)


class FeatureScaling(nn.Module):
    """ReZero and friends: one learned number for a branch, by ``addcmul`` and ``lerp``."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(C, C, 3, padding=1)
        self.gate = nn.Conv2d(C, C, 1)
        self.scale = nn.Parameter(torch.full((C, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Return the result of a map."""
        y = torch.addcmul(x, self.conv(x), self.scale)
        return torch.lerp(x, y, torch.sigmoid(self.gate(x)))


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "ghost module": Ghost,
    "channel shuffle": ShuffleUnit,
    "CoordConv": CoordConv,
    "ConvNeXt block": ConvNeXt,
    "LayerNorm over channels by means": ChannelsFirstNorm,
    "hard swish by ReLU6": HardSwish,
    "inverted residual": InvertedResidual,
    "padded shortcut": PadShortcut,
    "padding of TensorFlow": SamePadding,
    "GeM pooling": GemPooling,
    "inception branches": Inception,
    "dense layer": DenseLayer,
    "pixel shuffle and unshuffle": PixelShuffled,
    "Focus": Focus,
    "C2f": Csp,
    "SPPF": SpatialPyramid,
    "U-Net level": UNetLevel,
    "partial convolution": PartialConv,
    "shifted channels": ShiftedChannels,
    "addcmul and lerp": FeatureScaling,
}
