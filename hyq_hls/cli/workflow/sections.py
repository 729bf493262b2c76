"""The keys of ``hyq.toml``, each with its type, default and meaning, in one place.

The parser, its messages, ``hyq-hls build --template`` and the page in the documentation are made
from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from hyq_hls.architecture import Architecture
from hyq_hls.cli.workflow.names import StepName
from hyq_hls.stream.hls.compilers import Compiler

MustFit = Literal["both", "rtl", "hls", "no"]


def _unset(example: Any) -> Any:
    """Return a field without a value, of which the template shows an example."""
    return field(default=None, metadata={"example": example})


@dataclass(frozen=True)
class Model:
    """The network.

    Attributes:
        source: mobilevit_digits (the trained default), the name of a public network such as
            mobilevit_xxs, or module:function or file.py:function that returns a trained
            torch.nn.Module.
        checkpoint: file with the weights, .safetensors, .npz, .pt or .pth. Without it a function
            returns a trained module, and timm has the weights of mobilevit_*.
        random_weights: whether the weights of a named network may be random. Sizes and speeds are
            true then, and accuracy means nothing. Every network of timm may be named.
        image_size: height and width of the images, for networks of timm that are made for a size,
            and for noise.
    """

    source: str = "mobilevit_digits"
    checkpoint: str | None = _unset("weights.safetensors")
    random_weights: bool = False
    image_size: tuple[int, ...] | None = _unset([224, 224])


@dataclass(frozen=True)
class Data:
    """The images.

    Attributes:
        calibration: images to calibrate with, a .npy or .npz file of uint8 (B, H, W, C), a folder
            of image files, digits-train, or noise, of image_size, with which sizes and speeds are
            true and accuracy means nothing.
        calibration_images: number of images that are drawn from them.
        seed: seed by which images are drawn.
        test: images to evaluate and to verify with, a .npy file or an .npz file with images and
            labels, a folder with a folder of images for every class, digits-test, digits-distorted,
            or noise.
        test_images: number of test images that are drawn for the evaluation. Without it all are
            evaluated.
    """

    calibration: str = "digits-train"
    calibration_images: int = 256
    seed: int = 0
    test: str = "digits-test"
    test_images: int | None = _unset(1000)


@dataclass(frozen=True)
class Quantization:
    """The recipe that makes integers of the network.

    Attributes:
        preset: recipe to start from, such as fast, best, lean, hyq, fq_vit or minmax.
        weight_bits: width of weights, 2 to 16.
        activation_bits: width of activations, 2 to 16.
        mean: mean of the normalization outside of the model, one number or one for each channel.
        std: standard deviation of the same normalization.
        input_max: value of white for the model before mean and std, 1.0 or 255.0. Without it the
            model is run to find out.
        options: further fields of hyq_hls.QuantConfig, which change the preset.
        node_bits: bits of weights and activations of some nodes, by pattern of their names.
    """

    preset: str = "fast"
    weight_bits: int = 8
    activation_bits: int = 8
    mean: tuple[float, ...] | None = _unset([0.485, 0.456, 0.406])
    std: tuple[float, ...] | None = _unset([0.229, 0.224, 0.225])
    input_max: float | None = _unset(1.0)
    options: dict[str, Any] = field(default_factory=dict, metadata={"example": {"softmax_bits": 8}})
    node_bits: dict[str, tuple[int, ...]] = field(
        default_factory=dict, metadata={"example": {"head.*": [4, 8]}}
    )


@dataclass(frozen=True)
class Hardware:
    """The part and the design.

    Attributes:
        part: part, device or board.
        clock_mhz: target clock in MHz.
        architecture: stream gives every node a circuit of its own, engine runs a program on one
            array, and auto takes the stream where it fits the part.
        target_fps: frames per second at that clock, by the smallest design that reaches them.
        share: share of the part that may be used, above 0 and at most 1.
        must_fit: what the part must have room for, the RTL by its estimate and the HLS C++ by its
            plan. With no, a design is written that fits no part.
        hls: HLS compiler of the C++.
        project: name of the top function and of the top module.
        folding: lanes of the output and of the input of some nodes, by name.
        circuits: circuits of some nodes, by pattern of their names.
    """

    part: str = "xc7z020"
    clock_mhz: float = 100.0
    architecture: Architecture = "auto"
    target_fps: float | None = _unset(1000.0)
    share: float | None = _unset(0.7)
    must_fit: MustFit = "both"
    hls: Compiler = "vitis"
    project: str = "net"
    folding: dict[str, tuple[int, ...]] = field(
        default_factory=dict, metadata={"example": {"stem.conv": [8, 3]}}
    )
    circuits: dict[str, str] = field(default_factory=dict, metadata={"example": {"*.act": "table"}})


@dataclass(frozen=True)
class Targets:
    """The steps to run, and how far they go.

    Attributes:
        output: folder of all results, which is made.
        steps: steps to run. quantize and convert are run where another step needs them. onnx writes
            the network for onnxruntime, synthesize runs Yosys, vendor runs Vitis HLS or Bambu, and
            report writes a page about all of it.
        csim_images: images on which the C++ is compared with the integers.
        trace_images: images on which every node of the C++ is compared.
        cosim_images: images that run through the RTL.
        idle: chance of an idle input cycle in co-simulation.
        backpressure: chance per cycle that no output is taken in co-simulation.
    """

    output: str = "build/hyq"
    steps: tuple[StepName, ...] = ("evaluate", "csim", "cosim", "estimate", "report")
    csim_images: int = 64
    trace_images: int = 2
    cosim_images: int = 8
    idle: float = 0.0
    backpressure: float = 0.0


@dataclass(frozen=True)
class Settings:
    """All sections.

    Attributes:
        model: the network.
        data: the images.
        quantization: the recipe.
        hardware: the part and the design.
        targets: the steps.
    """

    model: Model = Model()
    data: Data = Data()
    quantization: Quantization = Quantization()
    hardware: Hardware = Hardware()
    targets: Targets = Targets()
