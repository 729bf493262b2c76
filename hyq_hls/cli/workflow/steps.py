"""The steps in their order: what each depends on, needs and writes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hyq_hls.cli.workflow.checks import folding, quantization
from hyq_hls.cli.workflow.configuration import Configuration
from hyq_hls.cli.workflow.inputs import Inputs
from hyq_hls.cli.workflow.names import StepName
from hyq_hls.cli.workflow.sections import Settings
from hyq_hls.errors import HyqError
from hyq_hls.support import needs, write_file
from hyq_hls.tools.bambu import require_bambu
from hyq_hls.tools.verilator.tool import find_verilator
from hyq_hls.tools.vitis import require_vitis
from hyq_hls.tools.yosys import yosys_version

NETWORK, PROJECT = "net.hyq", "net"


@dataclass(frozen=True)
class Work:
    """The configuration, the inputs and the folder that steps work on.

    Attributes:
        configuration: the configuration.
        inputs: the user's network and images.
        folder: folder of results.
    """

    configuration: Configuration
    inputs: Inputs
    folder: Path

    @property
    def stamp(self) -> dict[str, str]:
        """Name and hash of the configuration, which every result carries."""
        return {"file": self.configuration.file.name, "sha256": self.configuration.sha256}

    def save_json(self, name: str, content: dict[str, Any]) -> Path:
        """Write a result, with the configuration that made it."""
        text = json.dumps({"configuration": self.stamp, **content}, indent=1)
        write_file(self.folder / name, text + "\n")
        return self.folder / name

    def stamped(self, path: Path) -> Path:
        """Add the configuration to a JSON file that a report has written."""
        return self.save_json(path.name, json.loads(path.read_bytes()))


@dataclass(frozen=True)
class Outcome:
    """The result of a step.

    Attributes:
        result: its main figures, which are printed.
        outputs: the files that it wrote.
        inputs: the user's files that it read.
        failure: what is wrong with the result and what to do; empty where all is well.
    """

    result: dict[str, Any]
    outputs: Sequence[Path]
    inputs: Sequence[Path] = ()
    failure: str = ""


@dataclass(frozen=True)
class Step:
    """A step of the road.

    Attributes:
        settings: what it depends on.
        run: does the work.
        needs: the steps whose results it takes.
        shows: the steps whose results it takes where they are there.
        require: raises ``HyqError`` where a program that it runs is missing.
    """

    settings: Callable[[Settings], Any]
    run: Callable[[Work], Outcome]
    needs: tuple[StepName, ...] = ()
    shows: tuple[StepName, ...] = ()
    require: Callable[[Settings], object] = lambda settings: None


def _quantize(work: Work) -> Outcome:
    from hyq_hls import quantize  # noqa: PLC0415  (torch is slow to import)

    settings = work.configuration.settings
    white = settings.quantization.input_max
    module = work.inputs.module()
    qmodel = quantize(
        module,
        work.inputs.calibration(),
        quantization(work.configuration),
        mean=settings.quantization.mean,
        std=settings.quantization.std,
        input_range=None if white is None else (0, white),
        count=settings.data.calibration_images,
        seed=settings.data.seed,
    )
    if work.inputs.remembered_source is not None:
        qmodel.graph.metadata["source"] = work.inputs.remembered_source
    qmodel.graph.metadata["configuration"] = work.stamp
    saved = qmodel.save(work.folder / NETWORK)
    read = [*work.inputs.model_files(), *work.inputs.image_files("calibration")]
    result = {"nodes": len(qmodel.graph.nodes), "macs": qmodel.graph.macs()}
    return Outcome(result, [saved], read)


def _evaluate(work: Work) -> Outcome:
    import numpy as np  # noqa: PLC0415  (with torch)
    import torch  # noqa: PLC0415  (torch is slow to import)

    from hyq_hls import load  # noqa: PLC0415
    from hyq_hls.capture.module_check import outputs_of  # noqa: PLC0415
    from hyq_hls.evaluate import accuracy, logit_metrics  # noqa: PLC0415
    from hyq_hls.quant.calibrate import batches  # noqa: PLC0415
    from hyq_hls.quant.expected_input import with_normalization  # noqa: PLC0415
    from hyq_hls.support import sqnr_db  # noqa: PLC0415

    qmodel = load(work.folder / NETWORK)
    images, labels = work.inputs.test(qmodel, work.configuration.settings.data.test_images)
    pixels = qmodel.image_bytes(images)
    module = with_normalization(work.inputs.module(), qmodel.normalization).eval()
    with torch.inference_mode():
        wanted = np.concatenate([outputs_of(module, batch).numpy() for batch in batches(pixels)])
    found = qmodel.predict(pixels, progress=True)
    result: dict[str, Any] = {"images": len(pixels)}
    if labels is not None and found.ndim == 2:
        result |= logit_metrics(found, wanted, labels)
        counts = accuracy(found.argmax(axis=1), wanted.argmax(axis=1), labels)
        result["float_top1"] = round(counts.float_top1, 3)
    else:
        result["sqnr_db"] = round(sqnr_db(wanted, found), 2)
    saved = work.save_json("evaluation.json", result)
    return Outcome(result, [saved], [*work.inputs.model_files(), *work.inputs.image_files("test")])


def _onnx(work: Work) -> Outcome:
    from hyq_hls import load  # noqa: PLC0415  (as the others)

    saved = load(work.folder / NETWORK).export_onnx(work.folder / "net.onnx")
    return Outcome({"bytes": saved.stat().st_size}, [saved])


def _convert(work: Work) -> Outcome:
    from hyq_hls import convert, load  # noqa: PLC0415  (hls4ml is slow to import)

    hardware = work.configuration.settings.hardware
    accelerator = convert(
        load(work.folder / NETWORK),
        hardware.part,
        hardware.clock_mhz,
        work.folder / PROJECT,
        architecture=hardware.architecture,
        target_fps=hardware.target_fps,
        share=hardware.share,
        folding=folding(work.configuration),
        circuits=hardware.circuits or None,
        must_fit={"both": True, "no": False}.get(hardware.must_fit, hardware.must_fit),
        project=hardware.project,
        hls=hardware.hls,
        overwrite=True,
    )
    written = sorted(path for path in accelerator.folder.rglob("*") if path.is_file())
    result = {
        "architecture": accelerator.machine.architecture,
        "part": accelerator.part.name,
        "cycles_per_frame": accelerator.machine.cycles_per_frame,
    }
    return Outcome(result, written)


def _csim(work: Work) -> Outcome:
    from hyq_hls import Accelerator  # noqa: PLC0415  (hls4ml is slow to import)
    from hyq_hls.verify import verify  # noqa: PLC0415

    targets = work.configuration.settings.targets
    accelerator = Accelerator.open(work.folder / PROJECT)
    images, _ = work.inputs.test(accelerator.qmodel, targets.csim_images)
    if not accelerator.compiled:
        accelerator.compile()
    report = verify(accelerator.qmodel, images, accelerator, trace_images=targets.trace_images)
    text = f"{report}\nconfiguration: {work.stamp['file']}, SHA-256 {work.stamp['sha256']}\n"
    write_file(work.folder / "verify.txt", text)
    equal = report.equal_images.get("C++", 0)
    failure = "" if report.ok else "levels disagree; verify.txt names the first difference"
    return Outcome(
        {"images": report.images, "equal_images": equal},
        [work.folder / "verify.txt"],
        work.inputs.image_files("test"),
        failure,
    )


def _cosim(work: Work) -> Outcome:
    from hyq_hls import Accelerator  # noqa: PLC0415  (hls4ml is slow to import)

    settings = work.configuration.settings
    accelerator = Accelerator.open(work.folder / PROJECT)
    images, _ = work.inputs.test(accelerator.qmodel, settings.targets.cosim_images)
    report = accelerator.cosimulate(
        images,
        idle=settings.targets.idle,
        backpressure=settings.targets.backpressure,
        seed=settings.data.seed,
        activity_cycles=accelerator.machine.activity_cycles,
        progress=True,
    )
    saved = work.stamped(report.save(work.folder / "cosim.json"))
    result = {
        "images": report.images,
        "equal_images": report.rtl_equal_images,
        "cycles_per_frame": report.cycles_per_frame,
        "latency_cycles": report.latency_cycles,
    }
    failure = "" if report.ok else "codes differ; cosim.json says where"
    return Outcome(result, [saved], work.inputs.image_files("test"), failure)


def _estimate(work: Work) -> Outcome:
    from hyq_hls import Accelerator  # noqa: PLC0415  (hls4ml is slow to import)

    report = Accelerator.open(work.folder / PROJECT).estimate()
    saved = work.stamped(report.save(work.folder / "estimate.json"))
    write_file(work.folder / "estimate.txt", f"{report}\n")
    return Outcome(_area(report), [saved, work.folder / "estimate.txt"])


def _synthesize(work: Work) -> Outcome:
    from hyq_hls import Accelerator  # noqa: PLC0415  (hls4ml is slow to import)

    accelerator = Accelerator.open(work.folder / PROJECT)
    # Converting anew replaces the project; results of synthesis stay.
    report = accelerator.synthesize(work.folder / "synthesis", progress=True)
    saved = work.stamped(report.save(work.folder / "synthesis.json"))
    write_file(work.folder / "synthesis.txt", f"{report}\n")
    return Outcome(_area(report), [saved, work.folder / "synthesis.txt"])


def _area(report: Any) -> dict[str, Any]:
    used = {key: getattr(report.total, key) for key in ("lut", "ff", "dsp", "bram36")}
    return {"part": report.part.name, "fits": report.fits, **used, "fps": round(report.fps, 1)}


def _vendor(work: Work) -> Outcome:
    from hyq_hls import Accelerator  # noqa: PLC0415  (hls4ml is slow to import)

    accelerator = Accelerator.open(work.folder / PROJECT)
    hardware = work.configuration.settings.hardware
    if hardware.hls == "bambu":
        verilog = accelerator.build()
        assert isinstance(verilog, Path)
        return Outcome({"verilog": str(verilog)}, [verilog])
    images, _ = work.inputs.test(
        accelerator.qmodel, work.configuration.settings.targets.cosim_images
    )
    accelerator.build(images)
    report = accelerator.vendor_report()
    saved = work.stamped(report.save(work.folder / "vendor.json"))
    return Outcome(_area(report), [saved], work.inputs.image_files("test"))


def _report(work: Work) -> Outcome:
    from hyq_hls import Accelerator, write_report  # noqa: PLC0415  (hls4ml is slow to import)
    from hyq_hls.machine import CosimReport  # noqa: PLC0415

    targets = work.configuration.settings.targets
    accelerator = Accelerator.open(work.folder / PROJECT)
    images, labels = work.inputs.test(accelerator.qmodel, targets.csim_images)
    simulated = work.folder / "cosim.json"
    page = write_report(
        accelerator,
        work.folder / "report.html",
        images,
        labels,
        cosim=CosimReport.load(simulated) if simulated.is_file() else None,
        trace_images=targets.trace_images,
        command=f"hyq-hls build {work.stamp['file']} (SHA-256 {work.stamp['sha256']})",
    )
    return Outcome({"images": len(images)}, [page.path], work.inputs.image_files("test"))


def _require_compiler(settings: Settings) -> None:
    program = os.environ.get("CXX", "g++")
    if shutil.which(program) is None:
        raise HyqError(f"{program} was not found; install g++, or name a compiler with CXX=...")


def _require_simulator(settings: Settings) -> None:
    _require_compiler(settings)
    find_verilator()


def _require_onnx(settings: Settings) -> None:
    needs("onnx")


def _require_hls(settings: Settings) -> None:
    if settings.hardware.hls == "bambu":
        require_bambu()
    else:
        require_vitis()


def _simulation(settings: Settings, *keys: str) -> dict[str, Any]:
    """Return the settings of a simulation: test images, how they are drawn, and some targets."""
    targets = asdict(settings.targets)
    data = {"test": settings.data.test, "seed": settings.data.seed}
    return {**data, **{key: targets[key] for key in keys}}


def _network(settings: Settings) -> dict[str, Any]:
    calibration = ("calibration", "calibration_images", "seed")
    data = {key: asdict(settings.data)[key] for key in calibration}
    return {"model": asdict(settings.model), "quantization": asdict(settings.quantization), **data}


def _evaluation(settings: Settings) -> dict[str, Any]:
    return {"model": asdict(settings.model), "data": asdict(settings.data)}


#: The steps in the order in which they run.
STEPS: dict[StepName, Step] = {
    "quantize": Step(_network, _quantize),
    "evaluate": Step(_evaluation, _evaluate, ("quantize",)),
    "onnx": Step(lambda s: {}, _onnx, ("quantize",), require=_require_onnx),
    "convert": Step(lambda s: asdict(s.hardware), _convert, ("quantize",)),
    "csim": Step(
        lambda s: _simulation(s, "csim_images", "trace_images"),
        _csim,
        ("convert",),
        require=_require_compiler,
    ),
    "cosim": Step(
        lambda s: _simulation(s, "cosim_images", "idle", "backpressure"),
        _cosim,
        ("convert",),
        require=_require_simulator,
    ),
    "estimate": Step(lambda s: {}, _estimate, ("convert",)),
    "synthesize": Step(lambda s: {}, _synthesize, ("convert",), require=lambda s: yosys_version()),
    "vendor": Step(
        lambda s: _simulation(s, "cosim_images"), _vendor, ("convert",), require=_require_hls
    ),
    "report": Step(
        lambda s: _simulation(s, "csim_images", "trace_images"),
        _report,
        ("convert",),
        ("csim", "cosim"),
    ),
}


def chosen(settings: Settings, until: StepName | None = None) -> list[StepName]:
    """Return the steps to run, in order: those asked for and those that they need.

    Args:
        settings: the settings.
        until: the last step, which is run too; None runs all.
    """
    wanted: set[StepName] = {*settings.targets.steps}
    if until is not None:
        wanted.add(until)
    for name in reversed(STEPS):
        if name in wanted:
            wanted |= {*STEPS[name].needs}
    order = [name for name in STEPS if name in wanted]
    return order if until is None else order[: order.index(until) + 1]
