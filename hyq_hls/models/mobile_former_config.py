"""A frozen description says what a Mobile-Former is made of; the published sizes."""

from __future__ import annotations

from dataclasses import dataclass

from hyq_hls.errors import ShapeError


@dataclass(frozen=True)
class MobileFormerBlockConfig:
    """One block of a Mobile-Former.

    Attributes:
        expansion: channels inside the block, divided by its input channels.
        channels: output channels.
        stride: step of the block's first depthwise convolution.
        second_expansion: channels inside the second half of a block with stride 2, divided by its
            output channels. 0 makes a block of plain convolutions, which meets no tokens.
    """

    expansion: int
    channels: int
    stride: int = 1
    second_expansion: int = 4

    def __post_init__(self) -> None:
        _expect_positive(
            "MobileFormerBlockConfig",
            expansion=self.expansion,
            channels=self.channels,
            stride=self.stride,
        )
        if self.second_expansion < 0:
            raise ShapeError(
                "MobileFormerBlockConfig.second_expansion must be at least 0, found "
                f"{self.second_expansion}"
            )

    @property
    def plain(self) -> bool:
        """Whether the block meets no tokens."""
        return self.second_expansion == 0


@dataclass(frozen=True)
class MobileFormerConfig:
    """A whole Mobile-Former (Chen et al., arXiv 2108.05895).

    Attributes:
        blocks: the blocks in order, after a 3x3 stem of stride 2.
        stem_channels: output channels of the stem.
        tokens: number of learned tokens.
        token_dim: channels of a token; a multiple of 4, the heads of their attention.
        features: width of the hidden layer of the classifier.
        num_classes: width of the logits.
        in_channels: channels of the image.
        groups: groups of the 1x1 convolutions, between which channels are shuffled.
        heads: heads of both bridges; they divide the channels of all blocks.

    Raises:
        ShapeError: a size is not positive, or heads or groups do not divide channels.
    """

    blocks: tuple[MobileFormerBlockConfig, ...]
    stem_channels: int
    tokens: int
    token_dim: int
    features: int
    num_classes: int = 1000
    in_channels: int = 3
    groups: int = 1
    heads: int = 2

    def __post_init__(self) -> None:
        _expect_positive(
            "MobileFormerConfig",
            blocks=len(self.blocks),
            stem_channels=self.stem_channels,
            tokens=self.tokens,
            token_dim=self.token_dim,
            features=self.features,
            num_classes=self.num_classes,
            in_channels=self.in_channels,
            groups=self.groups,
            heads=self.heads,
        )
        if self.token_dim % 4:
            raise ShapeError(
                f"MobileFormerConfig.token_dim must be a multiple of 4, found {self.token_dim}"
            )
        for block in self.blocks:
            if block.channels % self.heads or block.channels % self.groups:
                raise ShapeError(
                    f"a block of {block.channels} channels does not divide into {self.heads} heads "
                    f"and {self.groups} groups; choose channels that both divide"
                )

    @classmethod
    def m26(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-26M: 3.2 M parameters, 26 M multiply-adds at 224x224."""
        return cls(_small(), 8, 3, 128, 1024, num_classes, groups=4)

    @classmethod
    def m52(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-52M: 3.5 M parameters, 52 M multiply-adds at 224x224."""
        return cls(_small(), 8, 3, 128, 1024, num_classes)

    @classmethod
    def m96(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-96M: 4.6 M parameters, 96 M multiply-adds at 224x224."""
        rows = (
            *((2, 12, 1, 0), (6, 16, 2, 4), (6, 32, 2, 4), (3, 32, 1, 3), (6, 64, 2, 4)),
            *((4, 64, 1, 4), (6, 88, 1, 4), (6, 128, 2, 4), (6, 128, 1, 4)),
        )
        return cls(_blocks(rows), 12, 4, 128, 1280, num_classes)

    @classmethod
    def m151(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-151M: 7.6 M parameters, 151 M multiply-adds at 224x224."""
        return cls(_large((12, 16, 32, 64, 88, 128), (3, 3, 4)), 12, 6, 192, 1280, num_classes)

    @classmethod
    def m214(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-214M: 9.4 M parameters, 214 M multiply-adds at 224x224."""
        return cls(_large((12, 20, 40, 80, 112, 160), (3, 4, 4)), 12, 6, 192, 1600, num_classes)

    @classmethod
    def m294(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-294M: 11.4 M parameters, 294 M multiply-adds at 224x224."""
        return cls(_large((16, 24, 48, 96, 128, 192), (4, 4, 4)), 16, 6, 192, 1920, num_classes)

    @classmethod
    def m508(cls, num_classes: int = 1000) -> MobileFormerConfig:
        """Return Mobile-Former-508M: 14.0 M parameters, 508 M multiply-adds at 224x224."""
        return cls(_large((24, 40, 72, 128, 176, 240), (3, 3, 4)), 24, 6, 192, 1920, num_classes)


def _blocks(rows: tuple[tuple[int, int, int, int], ...]) -> tuple[MobileFormerBlockConfig, ...]:
    return tuple(MobileFormerBlockConfig(*row) for row in rows)


def _small() -> tuple[MobileFormerBlockConfig, ...]:
    """Return the blocks of the two smallest sizes."""
    return _blocks(
        (
            *((3, 12, 2, 0), (3, 12, 1, 3), (6, 24, 2, 4), (3, 24, 1, 3), (6, 48, 2, 4)),
            *((4, 48, 1, 4), (6, 64, 1, 4), (6, 96, 2, 4), (6, 96, 1, 4)),
        )
    )


def _large(
    channels: tuple[int, ...], expansions: tuple[int, ...]
) -> tuple[MobileFormerBlockConfig, ...]:
    """Return the blocks of the four largest sizes.

    Args:
        channels: output channels of the plain block and of the others.
        expansions: expansions of the first blocks with stride 1 behind a block with stride 2.
    """
    a, b, c, d, e, f = channels
    first, second, third = expansions
    return _blocks(
        (
            *((2, a, 1, 0), (6, b, 2, 4), (first, b, 1, 4), (6, c, 2, 4), (second, c, 1, 4)),
            *((6, d, 2, 4), (third, d, 1, 4), (6, e, 1, 4), (6, e, 1, 4)),
            *((6, f, 2, 4), (6, f, 1, 4), (6, f, 1, 4)),
        )
    )


def _expect_positive(owner: str, **sizes: int) -> None:
    for name, size in sizes.items():
        if size < 1:
            raise ShapeError(f"{owner}.{name} must be at least 1, found {size}")
