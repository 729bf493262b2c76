"""A frozen description says what a MobileViT is made of; public sizes and the small default."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from hyq_hls.errors import ShapeError


@dataclass(frozen=True)
class TransformerConfig:
    """Transformer of a MobileViT block.

    Attributes:
        dim: width C of a token; a multiple of ``heads``.
        depth: number of transformer layers.
        heads: attention heads.
        mlp_ratio: hidden width of the feed-forward part, divided by ``dim``.
        patch: height and width of a patch in pixels of the block's map.
    """

    dim: int
    depth: int
    heads: int = 4
    mlp_ratio: int = 2
    patch: tuple[int, int] = (2, 2)

    def __post_init__(self) -> None:
        _expect_positive(
            "TransformerConfig",
            dim=self.dim,
            depth=self.depth,
            heads=self.heads,
            mlp_ratio=self.mlp_ratio,
            patch_height=self.patch[0],
            patch_width=self.patch[1],
        )
        if self.dim % self.heads:
            raise ShapeError(
                f"TransformerConfig.dim {self.dim} is not a multiple of heads {self.heads}; "
                "choose a dim that every head shares equally"
            )


@dataclass(frozen=True)
class StageConfig:
    """``depth`` inverted residual blocks, and one MobileViT block where there is a transformer.

    Attributes:
        channels: output channels of every block of the stage.
        stride: stride of the first inverted residual block; the others have 1.
        depth: number of inverted residual blocks.
        expansion: channels inside an inverted residual block, divided by its input channels.
        transformer: transformer of the MobileViT block at the end, or None for a stage without one.
    """

    channels: int
    stride: int = 1
    depth: int = 1
    expansion: int = 4
    transformer: TransformerConfig | None = None

    def __post_init__(self) -> None:
        _expect_positive(
            "StageConfig",
            channels=self.channels,
            stride=self.stride,
            depth=self.depth,
            expansion=self.expansion,
        )


@dataclass(frozen=True)
class MobileViTConfig:
    """A whole MobileViT (v1, arXiv 2110.02178).

    Attributes:
        stages: the stages in order, after a 3x3 stem of stride 2.
        stem_channels: output channels of the stem.
        head_channels: output channels of the last 1x1 convolution, before the average pool.
        num_classes: width of the logits.
        in_channels: channels of the image.

    Raises:
        ShapeError: a size is not positive, or there is no stage.
    """

    stages: tuple[StageConfig, ...]
    stem_channels: int
    head_channels: int
    num_classes: int
    in_channels: int = 3

    def __post_init__(self) -> None:
        _expect_positive(
            "MobileViTConfig",
            stages=len(self.stages),
            stem_channels=self.stem_channels,
            head_channels=self.head_channels,
            num_classes=self.num_classes,
            in_channels=self.in_channels,
        )

    @classmethod
    def xxs(cls, num_classes: int = 1000) -> MobileViTConfig:
        """Return MobileViT-xxs: 1.27 M parameters with 1000 classes."""
        return cls._public((16, 24, 48, 64, 80), (64, 80, 96), 2, 320, num_classes)

    @classmethod
    def xs(cls, num_classes: int = 1000) -> MobileViTConfig:
        """Return MobileViT-xs: 2.32 M parameters with 1000 classes."""
        return cls._public((32, 48, 64, 80, 96), (96, 120, 144), 4, 384, num_classes)

    @classmethod
    def s(cls, num_classes: int = 1000) -> MobileViTConfig:
        """Return MobileViT-s: 5.58 M parameters with 1000 classes."""
        return cls._public((32, 64, 96, 128, 160), (144, 192, 240), 4, 640, num_classes)

    @classmethod
    def digits(cls) -> MobileViTConfig:
        """Build the small default: 32x32 images, 10 classes, MobileViT blocks at 8x8 and 4x4."""
        return cls(
            stages=(
                StageConfig(16, depth=2, expansion=2),
                StageConfig(24, stride=2, expansion=2, transformer=TransformerConfig(32, depth=2)),
                StageConfig(32, stride=2, expansion=2, transformer=TransformerConfig(48, depth=2)),
            ),
            stem_channels=8,
            head_channels=96,
            num_classes=10,
        )

    @classmethod
    def clutter(cls) -> MobileViTConfig:
        """Build the network of the notebooks: 32x32 images, 10 classes, one block at 8x8."""
        return cls(
            stages=(
                StageConfig(12, expansion=2),
                StageConfig(20, stride=2, expansion=2, transformer=TransformerConfig(24, depth=1)),
                StageConfig(24, stride=2, expansion=2),
            ),
            stem_channels=8,
            head_channels=64,
            num_classes=10,
        )

    @classmethod
    def _public(
        cls,
        channels: tuple[int, int, int, int, int],
        dims: tuple[int, int, int],
        expansion: int,
        head_channels: int,
        num_classes: int,
    ) -> MobileViTConfig:
        """Return one of the three published sizes; they differ in widths alone."""
        plain = (
            StageConfig(channels[0], depth=1, expansion=expansion),
            StageConfig(channels[1], stride=2, depth=3, expansion=expansion),
        )
        hybrid = tuple(
            StageConfig(c, 2, 1, expansion, TransformerConfig(dim, depth))
            for c, dim, depth in zip(channels[2:], dims, (2, 4, 3), strict=True)
        )
        return cls(plain + hybrid, 16, head_channels, num_classes)

    def mobilevit_blocks(self) -> Iterator[tuple[str, int, TransformerConfig]]:
        """Return name, stride and transformer of each MobileViT block.

        The name is the public one, as ``stages.2.1``; the stride is that from the image to the
        block's map.
        """
        reduction = 2
        for index, stage in enumerate(self.stages):
            reduction *= stage.stride
            if stage.transformer is not None:
                yield f"stages.{index}.{stage.depth}", reduction, stage.transformer

    @property
    def image_multiple(self) -> tuple[int, int]:
        """Height and width of the image in pixels of which every multiple works."""
        sides = [
            math.lcm(1, *(r * t.patch[axis] for _, r, t in self.mobilevit_blocks()))
            for axis in (0, 1)
        ]
        return sides[0], sides[1]

    def check_image_size(self, height: int, width: int) -> None:
        """Refuse an image whose map does not divide into patches in some MobileViT block.

        Public code interpolates such a map to the next size, there and back; an integer
        network would have to pay for two resizes that nobody asked for.

        Args:
            height: height of the image in pixels.
            width: width of the image in pixels.

        Raises:
            ShapeError: (a ValueError) naming the first block that fails, the size of its map
                and the image sizes that work.
        """
        for name, reduction, transformer in self.mobilevit_blocks():
            # Every 3x3 convolution of stride s with padding 1 gives ceil(size / s).
            found = (-(-height // reduction), -(-width // reduction))
            patch = transformer.patch
            if height < 1 or width < 1 or found[0] % patch[0] or found[1] % patch[1]:
                multiple = self.image_multiple
                nearest = [
                    max(1, round(size / step)) * step
                    for size, step in zip((height, width), multiple, strict=True)
                ]
                raise ShapeError(
                    f"MobileViT block {name} finds a map of {found[0]}x{found[1]} for a "
                    f"{height}x{width} image, which does not divide into patches of "
                    f"{patch[0]}x{patch[1]}; use images whose height is a multiple of "
                    f"{multiple[0]} and whose width is a multiple of {multiple[1]}, "
                    f"as {nearest[0]}x{nearest[1]}"
                )


def _expect_positive(owner: str, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ShapeError(f"{owner}.{name} must be at least 1, found {size}")
