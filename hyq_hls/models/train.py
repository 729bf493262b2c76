"""Train the networks that come with the package: ``python -m hyq_hls.models.train --help``.

These are the small default on digits, and the network of the notebooks on cluttered digits.

The same seed, versions and number of threads give the same weights on one kind of processor;
another kind may round sums differently and then ends at other weights of the same quality.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from hyq_hls.errors import FileFormatError, HyqError, ShapeError
from hyq_hls.models import digits
from hyq_hls.models.checkpoint import save_weights
from hyq_hls.models.clutter import cluttered
from hyq_hls.models.config import MobileViTConfig
from hyq_hls.models.distort import distort
from hyq_hls.models.mobilevit import MobileViT
from hyq_hls.support import write_file

#: Images of an epoch of ``train_clutter``.
CLUTTER_IMAGES = 8192


@dataclass(frozen=True)
class TrainConfig:
    """AdamW with a one-cycle learning rate on images distorted anew in each epoch.

    Attributes:
        epochs: passes over the training images.
        seed: seed of the initial weights, the order of the images and their distortions.
        batch_size: images of a step; the last step of an epoch takes what is left.
        learning_rate: highest rate of the cycle.
        weight_decay: AdamW's decay of weights.
        label_smoothing: label smoothing of the cross entropy.
    """

    epochs: int = 50
    seed: int = 0
    batch_size: int = 64
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("seed", 0)):
            found = getattr(self, name)
            if found < least:
                raise ShapeError(f"TrainConfig.{name} must be at least {least}, found {found}")


def fit(
    model: nn.Module, data: digits.Digits, config: TrainConfig, *, progress: bool = False
) -> list[float]:
    """Train ``model`` in place on images distorted anew in each epoch; see ``fit_drawn``.

    Args:
        model: takes float ``(B, 3, 32, 32)`` and gives logits ``(B, 10)``.
        data: undistorted bytes and labels.
        config: how to train; ``config.seed`` sets order and distortions, not initial weights.
        progress: show a progress bar on stderr.

    Returns:
        Mean loss of each epoch.
    """
    rng = np.random.default_rng(config.seed)
    count = len(data.labels)

    def draw(_epoch: int) -> digits.Digits:
        order = rng.permutation(count)
        return digits.Digits(distort(data.images[order], rng), data.labels[order])

    return fit_drawn(model, draw, count, config, progress=progress)


def fit_drawn(
    model: nn.Module,
    draw: Callable[[int], digits.Digits],
    count: int,
    config: TrainConfig,
    *,
    extra: Callable[[], torch.Tensor] | None = None,
    progress: bool = False,
) -> list[float]:
    """Train ``model`` in place and leave it in evaluation mode.

    Args:
        model: takes what ``digits.as_input`` makes of the images and gives logits.
        draw: gives images and labels of an epoch by its number; they are taken in their order.
        count: how many images an epoch has.
        config: how to train; ``config.seed`` is for ``draw`` to use.
        extra: a scalar to add to the loss, asked for after each forward pass.
        progress: show a progress bar on stderr.

    Returns:
        Mean loss of each epoch, ``extra`` included.

    Raises:
        ShapeError: an epoch has not ``count`` images.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        config.learning_rate,
        total_steps=config.epochs * math.ceil(count / config.batch_size),
    )
    model.train()
    losses = []
    bar = tqdm(range(config.epochs), desc="training", unit="epoch", disable=not progress)
    for epoch in bar:
        data = draw(epoch)
        if len(data.labels) != count:
            raise ShapeError(
                f"epoch {epoch} has {len(data.labels)} images, {count} were announced; draw as "
                "many in each epoch"
            )
        labels = torch.from_numpy(data.labels)
        total = 0.0
        for start in range(0, count, config.batch_size):
            batch = slice(start, start + config.batch_size)
            loss = functional.cross_entropy(
                model(digits.as_input(data.images[batch])),
                labels[batch],
                label_smoothing=config.label_smoothing,
            )
            if extra is not None:
                loss = loss + extra()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(labels[batch])
        losses.append(total / count)
        bar.set_postfix(loss=f"{losses[-1]:.3f}")
    model.eval()
    return losses


def train_digits(config: TrainConfig, *, progress: bool = False) -> MobileViT:
    """Train the small default network from seeded initial weights on all training images.

    The global random state of PyTorch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = MobileViT(MobileViTConfig.digits())
    fit(model, digits.train(), config, progress=progress)
    return model


def train_clutter(config: TrainConfig, *, progress: bool = False) -> MobileViT:
    """Train the network of the notebooks on cluttered digits, new ones in every epoch.

    The global random state of PyTorch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = MobileViT(MobileViTConfig.clutter())

    def draw(epoch: int) -> digits.Digits:
        return cluttered("train", CLUTTER_IMAGES, digits.SIDE, 1000 * config.seed + epoch)

    fit_drawn(model, draw, CLUTTER_IMAGES, config, progress=progress)
    return model


def count_correct(model: nn.Module, data: digits.Digits, batch_size: int = 360) -> int:
    """Count the images that ``model``, in the mode that it is in, classifies as labelled."""
    correct = 0
    with torch.no_grad():
        for start in range(0, len(data.labels), batch_size):
            batch = slice(start, start + batch_size)
            chosen = model(digits.as_input(data.images[batch])).argmax(1)
            correct += int((chosen == torch.from_numpy(data.labels[batch])).sum())
    return correct


def measure(model: nn.Module, network: str = "mobilevit_digits") -> dict[str, dict[str, float]]:
    """Measure the accuracy on held-out images of the network's task, as counts and as fractions."""
    result = {}
    for name, data in NETWORKS[network].held_out().items():
        correct, images = count_correct(model, data), len(data.labels)
        result[name] = {"correct": correct, "images": images, "accuracy": correct / images}
    return result


def _held_out_digits() -> dict[str, digits.Digits]:
    return {"clean": digits.test(), "distorted": digits.distorted()}


def _held_out_clutter() -> dict[str, digits.Digits]:
    return {"cluttered": cluttered("test", 2000, digits.SIDE, seed=0)}


@dataclass(frozen=True)
class _Network:
    """A network that comes with the package.

    Attributes:
        train: trains it from random weights.
        held_out: gives its test images by name.
        usual: the training of the weights that come with the package.
    """

    train: Callable[..., MobileViT]
    held_out: Callable[[], dict[str, digits.Digits]]
    usual: TrainConfig


NETWORKS = {
    "mobilevit_digits": _Network(train_digits, _held_out_digits, TrainConfig()),
    "mobilevit_clutter": _Network(
        train_clutter, _held_out_clutter, TrainConfig(12, learning_rate=4e-3)
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, measure and write the checkpoint and the JSON beside it; 0 on success."""
    parser = _parser()
    options = parser.parse_args(arguments)
    network = NETWORKS[options.network]
    output: Path = options.output or Path(f"{options.network}.npz")
    threads = torch.get_num_threads()
    try:
        epochs = network.usual.epochs if options.epochs is None else options.epochs
        config = replace(network.usual, epochs=epochs, seed=options.seed)
        _check_output(output, force=options.force)
        if options.threads < 1:
            raise ShapeError(f"--threads must be at least 1, found {options.threads}")
        torch.set_num_threads(options.threads)
        model = network.train(config, progress=True)
        held_out = measure(model, options.network)
        save_weights(model, output)
        record = _record(options.network, model, config, held_out, output)
        write_file(output.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    except HyqError as error:
        parser.error(str(error))
    finally:
        torch.set_num_threads(threads)
    for name, result in held_out.items():
        print(f"{name:9} {result['accuracy']:.2%} of {result['images']} held-out images")
    print(f"wrote {output} and {output.with_suffix('.json').name}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m hyq_hls.models.train",
        description="Train a small MobileViT that comes with the package (minutes).",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--network", choices=NETWORKS, default="mobilevit_digits", help="what to train"
    )
    parser.add_argument("--epochs", type=int, help="passes over data; those of its own weights")
    parser.add_argument("--seed", type=int, default=TrainConfig.seed, help="of all randomness")
    parser.add_argument(
        "--output",
        type=Path,
        help="checkpoint to write, by default named after the network; a .json goes beside it",
    )
    parser.add_argument("--force", action="store_true", help="replace existing files")
    parser.add_argument(
        "--threads", type=int, default=1, help="of the processor; another number, other rounding"
    )
    return parser


def _check_output(output: Path, *, force: bool) -> None:
    """Find out before the training what would keep its result from being written."""
    if output.suffix != ".npz":
        raise FileFormatError(f"--output must end in .npz, found {output}; name it so")
    if not output.parent.is_dir():
        raise FileFormatError(f"there is no folder {output.parent} for --output; create it")
    existing = [str(path) for path in (output, output.with_suffix(".json")) if path.exists()]
    if existing and not force:
        raise FileFormatError(
            f"{' and '.join(existing)} would be replaced; name another --output or give --force"
        )


def _record(
    name: str, model: nn.Module, config: TrainConfig, held_out: dict[str, Any], output: Path
) -> dict[str, Any]:
    return {
        "model": name,
        "weights": output.name,
        "weights_sha256": hashlib.sha256(output.read_bytes()).hexdigest(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "held_out": held_out,
        "training": {**asdict(config), "threads": torch.get_num_threads()},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "numpy", "scikit-learn")},
        },
    }


if __name__ == "__main__":
    sys.exit(main())
