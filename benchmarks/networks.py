"""The benchmark's networks: trained hybrids on cluttered digits, each with outlier variants.

    python -m benchmarks.networks                      trains what is missing, prints the table
    python -m benchmarks.networks --networks slim32 --force

Variants of a network:

- ``plain``: trained on ``hyq_hls.models.clutter``, then every weight is rounded to bfloat16. The
  rounded network is the float network of the benchmark.
- ``outliers 16``, ``outliers 64``: the same function to the bit, see ``hyq_hls.models.outliers``.
- ``natural``: fine-tuned from plain while benchmarks/_spread.py rewards channels that are far
  larger than the others of their tensor. Nothing divides them out again: it is another function.

Checkpoints and networks.json, which records their accuracy, lie in benchmarks/checkpoints. The same
versions and one thread give the same weights on one kind of processor.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import _member_streams, members
from benchmarks._spread import KINDS, Spread, ratios
from hyq_hls.errors import FileFormatError, HyqError, InputError
from hyq_hls.models import MobileViT, MobileViTConfig, StageConfig, TransformerConfig, load_weights
from hyq_hls.models.clutter import cluttered
from hyq_hls.models.digits import Digits
from hyq_hls.models.outliers import Stream, mobilevit_streams, with_outliers
from hyq_hls.models.train import TrainConfig, count_correct, fit_drawn
from hyq_hls.support import aligned, write_file

CHECKPOINTS = Path(__file__).parent / "checkpoints"
VARIANTS = ("plain", "outliers 16", "outliers 64", "natural")
TEST_IMAGES = 2000
MAX_CALIBRATION = 1024
_TEST_SEED = 0
_CALIBRATION_SEED = 1_000_000
_RATIO_IMAGES = 256


@dataclass(frozen=True)
class Network:
    """A network of the benchmark and how it is trained.

    Attributes:
        name: name of the network and of its checkpoints.
        build: makes it with random weights.
        side: side of its images in pixels.
        training: cycles that train ``plain``, one after another. The first seed is that of the
            initial weights; images of epoch ``e`` are those of seed ``1000 * seed + e`` of the
            training split.
        natural: cycles of the fine-tuning, in the same way; none where there is no such variant.
        images: number of images of an epoch of the training, new ones in every epoch.
        natural_images: number of images of an epoch of the fine-tuning.
        reward: reward of large channels in the fine-tuning, see ``Spread``.
        start: the network whose weights it starts from, of the same shapes; or it starts anew.
        streams: lists where its ``outliers`` variants have large channels.
    """

    name: str
    build: Callable[[], torch.nn.Module]
    side: int
    training: tuple[TrainConfig, ...]
    natural: tuple[TrainConfig, ...] = ()
    images: int = 8192
    natural_images: int = 8192
    reward: float = 1.0
    start: str | None = None
    streams: Callable[[Any], Sequence[Stream]] = mobilevit_streams

    @property
    def trained(self) -> tuple[str, ...]:
        """The variants that have a checkpoint of their own."""
        return ("plain", "natural") if self.natural else ("plain",)

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants that there are, of ``VARIANTS``."""
        return tuple(v for v in VARIANTS if v != "natural" or self.natural)


def _slim(strides: tuple[int, int, int], heads: int) -> MobileViT:
    """Build a small network; strides and heads do not change the shapes of its weights."""
    config = MobileViTConfig(
        stages=(
            StageConfig(12, strides[0], depth=2, expansion=2),
            StageConfig(20, strides[1], expansion=2, transformer=TransformerConfig(24, 2, heads)),
            StageConfig(24, strides[2], expansion=2, transformer=TransformerConfig(32, 2, heads)),
        ),
        stem_channels=8,
        head_channels=80,
        num_classes=10,
    )
    return MobileViT(config)


def _member(family: str, *training: TrainConfig) -> Network:
    """Return the small member of a family of benchmarks/members.py."""
    build, streams = getattr(members, family), getattr(_member_streams, family)
    return Network(f"{family}_32", build, 32, training, streams=streams)


#: The networks in the order in which they are trained.
NETWORKS = {
    network.name: network
    for network in (
        Network(
            "default32",
            lambda: MobileViT(MobileViTConfig.digits()),
            32,
            (TrainConfig(20, learning_rate=4e-3),),
            (TrainConfig(4, seed=1, learning_rate=1e-3),),
        ),
        Network(
            "slim32",
            partial(_slim, (1, 2, 2), heads=4),
            32,
            (TrainConfig(12, learning_rate=4e-3),),
            (TrainConfig(3, seed=1, learning_rate=1e-3),),
        ),
        # At a rate of 4e-3 its loss rises again and stays up.
        Network(
            "xxs64",
            lambda: MobileViT(MobileViTConfig.xxs(10)),
            64,
            (TrainConfig(5, learning_rate=1.5e-3), TrainConfig(4, seed=2, learning_rate=1.5e-3)),
            (TrainConfig(3, seed=1, learning_rate=1e-3, batch_size=32),),
            natural_images=4096,
        ),
        # The maps of these strides give attention rows of 144 and 36.
        Network(
            "long96",
            partial(_slim, (2, 1, 2), heads=2),
            96,
            (TrainConfig(6, learning_rate=4e-3),),
            (TrainConfig(3, seed=1, learning_rate=1e-3, batch_size=32),),
            natural_images=4096,
            start="slim32",
        ),
        # Rows of attention of 100 and 25, which are no powers of two.
        Network(
            "long80",
            partial(_slim, (2, 1, 2), heads=2),
            80,
            (TrainConfig(2, learning_rate=1e-3),),
            (TrainConfig(3, seed=1, learning_rate=1e-3, batch_size=32),),
            natural_images=4096,
            start="long96",
        ),
        _member(
            "mobilevitv2",
            TrainConfig(10, learning_rate=4e-3),
            TrainConfig(3, seed=2, learning_rate=1.5e-3),
            TrainConfig(4, seed=3),
        ),
        _member("mobile_former", TrainConfig(8, learning_rate=3e-3)),
        _member("efficientformer", TrainConfig(12, learning_rate=3e-3)),
        _member("efficientformerv2", TrainConfig(8, learning_rate=3e-3)),
    )
}


def load(name: str, variant: str = "plain", seed: int = 0) -> torch.nn.Module:
    """Load a trained network in evaluation mode.

    Args:
        name: a key of ``NETWORKS``.
        variant: one of ``VARIANTS``.
        seed: seed of the channels that an ``outliers`` variant scales; the others have none.

    Raises:
        InputError: no such network or variant.
        FileFormatError: the checkpoint is missing, or is not the one that networks.json records.
    """
    network = _named(name)
    if variant not in network.variants:
        raise InputError(f"variant {variant!r}: {name} has {', '.join(network.variants)}")
    kind, _, factor = variant.partition(" ")
    trained = "natural" if kind == "natural" else "plain"
    path = checkpoint(name, trained)
    wanted = record(name, trained)["sha256"]
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != wanted:
        raise FileFormatError(
            f"{path} is missing or is not the checkpoint that networks.json records ({wanted}); "
            f"take both from one commit, or run python -m benchmarks.networks --networks {name} "
            "--force"
        )
    model = network.build()
    load_weights(model, path)
    model.eval()
    if kind == "outliers":
        return with_outliers(model, int(factor), seed=seed, streams=network.streams)
    return model


def test_images(name: str, count: int = TEST_IMAGES) -> Digits:  # noqa: PT028
    """Return the first test images of a network, at most 2000: held-out digits, always the same.

    Raises:
        InputError: no such network, or count is not in 1..2000.
    """
    if not 1 <= count <= TEST_IMAGES:
        raise InputError(f"test_images gives 1 to {TEST_IMAGES} images, found count={count}")
    return cluttered("test", count, _named(name).side, _TEST_SEED)


test_images.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test


def calibration_images(name: str, count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return images ``(count, side, side, 3)`` of training digits that no training has seen.

    Raises:
        InputError: no such network, count is not in 1..1024, or the seed is below 0.
    """
    if not 1 <= count <= MAX_CALIBRATION or seed < 0:
        raise InputError(
            f"calibration_images gives 1 to {MAX_CALIBRATION} images of a seed of at least 0, "
            f"found count={count}, seed={seed}"
        )
    return cluttered("train", count, _named(name).side, _CALIBRATION_SEED + seed).images


def checkpoint(name: str, variant: str) -> Path:
    """Return where the weights of a trained variant lie, ``plain`` or ``natural``."""
    return CHECKPOINTS / (f"{name}.npz" if variant == "plain" else f"{name}-{variant}.npz")


def record(name: str, variant: str) -> dict[str, Any]:
    """Return what networks.json says of a trained variant.

    Raises:
        FileFormatError: networks.json says nothing of it.
    """
    found = _records().get(f"{_named(name).name} {variant}")
    if found is None:
        raise FileFormatError(
            f"{CHECKPOINTS / 'networks.json'} has no record of {name} {variant}; run python "
            f"-m benchmarks.networks --networks {name}"
        )
    return dict(found)


def train(network: Network, variant: str) -> None:
    """Train ``plain`` or fine-tune ``natural``, write the checkpoint and its record."""
    extra = None
    if variant == "plain":
        cycles, images = network.training, network.images
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(cycles[0].seed)
            model = network.build()
        if network.start is not None:
            model.load_state_dict(load(network.start).state_dict())
    else:
        cycles, images = network.natural, network.natural_images
        model = load(network.name)
        extra = Spread(model, network.reward)
    for config in cycles:
        losses = fit_drawn(
            model,
            partial(_draw, network, images, config),
            images,
            config,
            extra=extra,
            progress=True,
        )
        _round(model)
    if extra is not None:
        extra.remove()
    content = _compressed(model)
    test = test_images(network.name, TEST_IMAGES)
    found = {
        "weights": checkpoint(network.name, variant).name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "side": network.side,
        "top1": round(100 * count_correct(model, test) / len(test.labels), 3),
        "test_images": len(test.labels),
        "largest_over_median_channel": ratios(model, test.images[:_RATIO_IMAGES]),
        "last_loss": round(losses[-1], 4),
        "training": {
            "cycles": [asdict(config) for config in cycles],
            "images": images,
            "threads": torch.get_num_threads(),
            **({"start": network.start} if extra is None else {"reward": network.reward}),
        },
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scikit-learn")},
        },
    }
    CHECKPOINTS.mkdir(exist_ok=True)
    write_file(checkpoint(network.name, variant), content)
    records = {**_records(), f"{network.name} {variant}": found}
    text = json.dumps(dict(sorted(records.items())), indent=1) + "\n"
    write_file(CHECKPOINTS / "networks.json", text.encode())


def _draw(network: Network, images: int, config: TrainConfig, epoch: int) -> Digits:
    return cluttered("train", images, network.side, 1000 * config.seed + epoch)


def table(names: Sequence[str]) -> list[str]:
    """Return a line per trained variant."""
    rows: list[tuple[str, ...]] = [
        ("network", "variant", "parameters", "side", "float top-1", *KINDS)
    ]
    for name in names:
        for variant in NETWORKS[name].trained:
            found = record(name, variant)
            ratio = found["largest_over_median_channel"]
            spread = (f"{ratio[kind]:.1f}" if kind in ratio else "-" for kind in KINDS)
            sizes = (f"{found['parameters']:,}", str(found["side"]), f"{found['top1']:.2f}")
            rows.append((name, variant, *sizes, *spread))
    return aligned(rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing and print the table; 0 on success."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--force", action="store_true", help="train them again")
    parser.add_argument("--threads", type=int, default=1, help="another number, other rounding")
    options = parser.parse_args(arguments)
    if options.threads < 1:
        parser.error(f"--threads must be at least 1, found {options.threads}")
    threads = torch.get_num_threads()
    torch.set_num_threads(options.threads)
    try:
        for variant in ("plain", "natural"):
            for network in (NETWORKS[name] for name in options.networks):
                absent = options.force or not checkpoint(network.name, variant).is_file()
                if variant in network.trained and absent:
                    print(f"training {network.name} {variant}", flush=True)
                    train(network, variant)
        print("largest over median channel, mean of the tensors of a kind, on the right:")
        print("\n".join(table(options.networks)))
    except HyqError as error:
        parser.error(str(error))
    finally:
        torch.set_num_threads(threads)
    return 0


def _named(name: str) -> Network:
    if name not in NETWORKS:
        raise InputError(f"no benchmark network {name!r}; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def _records() -> dict[str, Any]:
    path = CHECKPOINTS / "networks.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def _round(model: torch.nn.Module) -> None:
    """Round all weights and statistics to bfloat16 values, in place: half the bytes are zeros."""
    with torch.no_grad():
        for value in model.state_dict().values():
            if value.dtype == torch.float32:
                value.copy_(value.bfloat16())


def _compressed(model: torch.nn.Module) -> bytes:
    """Write an npz that ``load_weights`` reads; the same weights give the same bytes."""
    content = io.BytesIO()
    state = {k: v.numpy() for k, v in model.state_dict().items() if v.dtype == torch.float32}
    np.savez_compressed(content, allow_pickle=False, **state)
    return content.getvalue()


if __name__ == "__main__":
    sys.exit(main())
