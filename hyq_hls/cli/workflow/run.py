"""Run the steps of a configuration; those of which nothing changed are skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from hyq_hls.cli.workflow.checks import as_keys, at, check
from hyq_hls.cli.workflow.configuration import Configuration
from hyq_hls.cli.workflow.inputs import Inputs
from hyq_hls.cli.workflow.names import FILE, StepName
from hyq_hls.cli.workflow.record import Finished, Record, digest_of, key_of, now
from hyq_hls.cli.workflow.steps import STEPS, Work, chosen
from hyq_hls.errors import HyqError, InputError
from hyq_hls.support import write_file

#: Folder inside the results with every configuration that made one of them.
CONFIGURATIONS = "configurations"


def build(
    configuration: Configuration,
    until: StepName | None = None,
    force: bool = False,
    say: Callable[[str], object] = print,
) -> bool:
    """Run the steps of a configuration into its folder of results.

    A step is skipped where its settings, the files that it read and wrote, and the version are
    those of its last run. A step that was interrupted, or whose result is wrong, runs again.

    Args:
        configuration: the configuration.
        until: the last step; None runs all.
        force: whether steps run again of which nothing changed.
        say: prints a line.

    Returns:
        Whether all levels agree.

    Raises:
        InputError: the configuration does not do; nothing was run.
        HyqError: a step failed.
    """
    check(configuration)
    names = chosen(configuration.settings, until)
    with at(configuration, "targets", "steps"):
        for name in names:
            STEPS[name].require(configuration.settings)
    folder = configuration.output
    work, record = Work(configuration, Inputs(configuration), folder), Record.load(folder)
    # Results of earlier configurations stay where nothing changed for them; so do those texts.
    kept = folder / CONFIGURATIONS
    kept.mkdir(exist_ok=True)
    for file in (folder / FILE, kept / f"{configuration.sha256}.toml"):
        write_file(file, configuration.text)
    for name in names:
        if not _run_step(name, work, record, force, say):
            return False
    say(f"results are in {folder}; build.json says what made them")
    return True


def _run_step(
    name: StepName, work: Work, record: Record, force: bool, say: Callable[[str], object]
) -> bool:
    """Run a step, or skip it; False where its result is wrong."""
    step, folder = STEPS[name], work.folder
    shown = [other for other in step.shows if other in record.steps]
    needed = [record.steps[other].outputs for other in (*step.needs, *shown)]
    key = key_of({"step": name, "values": step.settings(work.configuration.settings)}, needed)
    old = record.steps.get(name)
    if old is not None and not force and old.is_current(key, folder):
        say(f"{name}: nothing changed since {old.time}, skipped ({_figures(old.result)})")
        return True
    say(f"{name} ...")
    record.forget(name)
    start = perf_counter()
    try:
        outcome = step.run(work)
    except HyqError as error:
        message = as_keys(str(error))
        raise InputError(f"{work.configuration.file}, step {name}: {message}") from error
    seconds = round(perf_counter() - start, 2)
    if outcome.failure:
        say(f"{name}: {outcome.failure} ({_figures(outcome.result)})")
        return False
    finished = Finished(
        key,
        {str(path): digest_of(path) for path in outcome.inputs},
        {_inside(path, folder): digest_of(path) for path in outcome.outputs},
        work.configuration.sha256,
        seconds,
        now(),
        outcome.result,
    )
    record.finish(name, finished)
    say(f"{name}: {seconds:g} s ({_figures(outcome.result)})")
    return True


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _figures(result: dict[str, object]) -> str:
    return ", ".join(f"{key} {_figure(value)}" for key, value in result.items())


def _figure(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        return str(value)
    return f"{value:,}"
