"""Faults of what a user sees: plots, the report, the configuration file."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "plots: the shallowest FIFOs are drawn",
        "hyq_hls/plots/streams.py",
        "key=lambda s: -s.depth",
        "key=lambda s: s.depth",
        "tests/plots/test_hardware.py",
    ),
    Mutant(
        "plots: half a block RAM counts as a whole one",
        "hyq_hls/plots/resources.py",
        '"bram18": 2 * part.bram36',
        '"bram18": part.bram36',
        "tests/plots/test_hardware.py",
    ),
    Mutant(
        "plots: sensitivities at the largest width stand for the smallest",
        "hyq_hls/plots/noise.py",
        "width = widths[0] if bits is None",
        "width = widths[-1] if bits is None",
        "tests/plots/test_noise.py",
    ),
    Mutant(
        "plots: the fastest node is called the slowest",
        "hyq_hls/plots/cycles.py",
        "slowest = int(np.argmax(cycles))",
        "slowest = int(np.argmin(cycles))",
        "tests/plots/test_hardware.py",
    ),
    Mutant(
        "report: a unit of the engine works while another one does",
        "hyq_hls/report/hardware.py",
        "np.where(mine, alone, 0.0)",
        "alone",
        "tests/report/test_hardware.py",
    ),
    Mutant(
        "report: a design that another one beats stays on the front",
        "hyq_hls/report/pareto.py",
        "sizes[0] <= sizes[1]",
        "False",
        "tests/report/test_report.py",
    ),
    Mutant(
        "report: the design of the page beats none",
        "hyq_hls/report/pareto.py",
        "for other in (*found, mine))",
        "for other in found)",
        "tests/report/test_report.py",
    ),
    Mutant(
        "report: the longest paths are the shortest ones",
        "hyq_hls/report/hardware.py",
        "key=lambda item: -item[1].delay_ns",
        "key=lambda item: item[1].delay_ns",
        "tests/report/test_hardware.py",
    ),
    Mutant(
        "report: writer and reader of a FIFO are exchanged",
        "hyq_hls/report/simulated.py",
        "s.stalled / cycles,\n            s.starved / cycles,",
        "s.starved / cycles,\n            s.stalled / cycles,",
        "tests/report/test_report.py",
    ),
    Mutant(
        "report: a design is chosen against its own clock",
        "hyq_hls/report/content.py",
        "self.clock_mhz <= self.supported_mhz",
        "self.clock_mhz >= self.supported_mhz",
        "tests/report/test_hardware.py",
    ),
    Mutant(
        "configuration: a path is relative to the folder of the command",
        "hyq_hls/cli/workflow/configuration.py",
        "self.file.parent / os.path.expanduser(text)",
        "os.path.abspath(os.path.expanduser(text))",
        "tests/cli/workflow/test_configuration.py",
    ),
    Mutant(
        "configuration: a result that someone changed counts as current",
        "hyq_hls/cli/workflow/record.py",
        "files |= {folder / path: digest for path, digest in self.outputs.items()}",
        "",
        "tests/cli/workflow/test_build.py",
    ),
    Mutant(
        "configuration: a new part leaves the old design",
        "hyq_hls/cli/workflow/steps.py",
        '"convert": Step(lambda s: asdict(s.hardware)',
        '"convert": Step(lambda s: asdict(s.model)',
        "tests/cli/workflow/test_build.py",
    ),
    Mutant(
        "configuration: an interrupted step counts as finished",
        "hyq_hls/cli/workflow/run.py",
        "    record.forget(name)\n",
        "",
        "tests/cli/workflow/test_build.py",
    ),
]
