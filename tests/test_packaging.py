"""The wheel, the lock files and the make targets hold what they promise."""

import importlib.metadata
import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import hyq_hls
from hyq_hls.errors import HyqError
from hyq_hls.support import packages, templates
from hyq_hls.version import LICENCE
from tests.stranger.steps import copy_sources

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = ["runtime", "dev", "browser"]
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
#: Extras that a person who walks the whole road installs; requirements/runtime.in has them too.
ROAD = ["quantize", "hls", "rtl", "report", "digits"]


def requirements(name: str) -> list[Requirement]:
    """Requirements of a file in requirements/, those of the files it includes too."""
    found: list[Requirement] = []
    for line in (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r "):
            found += requirements(text.removeprefix("-r "))
        elif text:
            found.append(Requirement(text))
    return found


def names(some_requirements: Iterable[Requirement]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in some_requirements}


def pins_for(lock: str, python: str) -> dict[str, str]:
    """Name -> version of everything that a lock installs under one version of Python, on Linux."""
    machine = {"python_version": python, "python_full_version": f"{python}.9"}
    machine |= {"sys_platform": "linux", "implementation_name": "cpython"}
    pins = [r for r in requirements(f"{lock}.txt") if not r.marker or r.marker.evaluate(machine)]
    assert len(names(pins)) == len(pins), "a package is pinned twice"
    return {canonicalize_name(r.name): str(r.specifier).removeprefix("==") for r in pins}


def wanted(*extras: str) -> list[Requirement]:
    """Requirements of the base ("") and of extras, with those of the extras that they name."""
    found: list[Requirement] = []
    for extra in extras:
        for requirement in map(Requirement, EXTRAS[extra] if extra else PROJECT["dependencies"]):
            found += wanted(*requirement.extras) if requirement.extras else [requirement]
    return found


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Without what an outer make hands down.
    variables = {k: v for k, v in os.environ.items() if not k.startswith("MAKE") and k != "MFLAGS"}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


# --- the installed package ---


def test_installed_version_is_that_of_the_package() -> None:
    assert importlib.metadata.version("hyq_hls") == hyq_hls.__version__


def test_entry_point_of_the_backend_is_installed_and_loads() -> None:
    (entry,) = importlib.metadata.entry_points(group="hls4ml.backends", name="hyq")
    assert entry.value == "hyq_hls.stream.hls.plugin:register"
    assert callable(entry.load())


def test_template_dir_has_the_headers() -> None:
    assert (templates.template_dir() / "types.h").is_file()


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place in which the module believes to be installed."""
    monkeypatch.setattr(
        templates, "__file__", str(tmp_path / "hyq_hls" / "support" / "templates.py")
    )
    return tmp_path


def put_header(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "types.h").touch()
    return folder


def test_template_dir_prefers_the_headers_inside_the_package(elsewhere: Path) -> None:
    inside = put_header(elsewhere / "hyq_hls" / "hls_templates")
    put_header(elsewhere / "hls_templates")
    (elsewhere / "pyproject.toml").touch()
    assert templates.template_dir() == inside


def test_template_dir_takes_the_headers_of_a_checkout(elsewhere: Path) -> None:
    beside = put_header(elsewhere / "hls_templates")
    (elsewhere / "pyproject.toml").touch()
    assert templates.template_dir() == beside


def test_template_dir_ignores_a_foreign_folder_next_to_the_package(elsewhere: Path) -> None:
    put_header(elsewhere / "hls_templates")
    with pytest.raises(HyqError, match=r"no templates found.*install hyq_hls again"):
        templates.template_dir()


@pytest.mark.slow
def test_wheel_ships_templates_checkpoints_and_licence(tmp_path: Path) -> None:
    source = tmp_path / "source"
    # A copy: setuptools would reuse whatever an earlier build left in build/.
    copy_sources(source)
    checkpoints = source / "hyq_hls" / "models" / "checkpoints"
    checkpoints.mkdir(exist_ok=True)
    for name in ("trial.npz", "trial.json"):
        (checkpoints / name).touch()

    pip_wheel = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run([*pip_wheel, *options], check=True)

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shipped = set(archive.namelist())
    data = [*ROOT.glob("hls_templates/**/*.h"), *ROOT.glob("rtl_templates/*.sv")]
    data += [p for p in ROOT.glob("board_templates/*") if p.suffix in {".tcl", ".sv", ".py"}]
    texts = {p.relative_to(ROOT).as_posix() for p in data}
    folder = ROOT / "hyq_hls/tools/verilator/drivers"
    drivers = {p.relative_to(ROOT).as_posix() for p in folder.rglob("*") if p.is_file()}
    modules = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("hyq_hls/**/*.py")}
    assert {name.partition("/")[0] for name in texts} == {
        *("hls_templates", "rtl_templates", "board_templates")
    }
    assert {f"hyq_hls/{name}" for name in texts} <= shipped
    assert drivers
    assert drivers <= shipped
    assert {f"hyq_hls/models/checkpoints/trial.{kind}" for kind in ("npz", "json")} <= shipped
    assert modules <= shipped
    assert "hyq_hls/parts/parts.json" in shipped
    pages = {p.relative_to(ROOT).as_posix() for p in ROOT.glob("hyq_hls/report/templates/*")}
    assert pages
    assert pages <= shipped
    assert {name.partition("/")[0] for name in shipped} == {
        "hyq_hls",
        f"hyq_hls-{hyq_hls.__version__}.dist-info",
    }
    assert any(name.endswith("licenses/LICENSE") for name in shipped)


LINKED = """\
![A road](docs/images/road.png) and ![far](https://a.org/b.png)
[numbers](docs/numerics.md#top), [here](#install), [there](https://a.org).
<img width="9" src="docs/images/road.png">
"""


def test_the_readme_of_an_index_has_no_relative_link() -> None:
    spec = importlib.util.spec_from_file_location("setup_of_hyq_hls", ROOT / "setup.py")
    assert spec
    assert spec.loader
    setup = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(setup)
    there = setup.readme(LINKED, "https://host/us/it")
    assert "![A road](https://host/us/it/raw/HEAD/docs/images/road.png)" in there
    assert "[numbers](https://host/us/it/blob/HEAD/docs/numerics.md#top), [here](#install)" in there
    assert '<img width="9" src="https://host/us/it/raw/HEAD/docs/images/road.png">' in there
    bare = setup.readme(LINKED, "")
    assert bare.startswith(
        "*A road* and ![far](https://a.org/b.png)\nnumbers, [here](#install), [th"
    )
    assert "<img" not in bare
    shown = setup.readme((ROOT / "README.md").read_text(encoding="utf-8"), setup.repository())
    assert not re.findall(r"\]\((?!https?:|#)", shown)


def test_every_file_that_is_copied_into_a_project_names_its_licence() -> None:
    drivers = (ROOT / "hyq_hls/tools/verilator/drivers").rglob("*")
    copied = [p for p in [*ROOT.glob("*_templates/**/*"), *drivers] if p.is_file()]
    for path in copied:
        if path.suffix in {".h", ".sv", ".v", ".cpp", ".tcl", ".py"}:
            first = path.read_text(encoding="utf-8").partition("\n")[0]
            assert first.endswith(f" {LICENCE}"), f"{path}: its first line is no licence"
    licence = LICENCE.partition(": ")[2]
    assert licence == PROJECT["license"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["license"], citation["version"]) == (licence, hyq_hls.__version__)


# --- requirements ---


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_one_version_on_every_line(lock: str) -> None:
    for line in (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.match(r"[a-z0-9-]+==[0-9][^\s*,]*(\s|$)", line), line


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_answers_its_source_for_every_python(lock: str, python: str) -> None:
    pins = pins_for(lock, python)
    for source in requirements(f"{lock}.in"):
        if source.marker and not source.marker.evaluate({"python_version": python}):
            continue
        assert source.specifier.contains(pins[canonicalize_name(source.name)]), source


@pytest.mark.parametrize("python", PYTHONS)
def test_every_lock_contains_the_one_before(python: str) -> None:
    for smaller, larger in pairwise(LOCKS):
        assert pins_for(smaller, python).items() <= pins_for(larger, python).items()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_leaves_the_gpu_packages_to_the_gpu_build_of_torch(lock: str) -> None:
    assert not [n for n in names(requirements(f"{lock}.txt")) if n.startswith(("nvidia", "cuda"))]


def test_project_file_and_requirement_sources_name_the_same_packages() -> None:
    runtime, everything = names(requirements("runtime.in")), names(requirements("dev.in"))
    build_tool = {"setuptools"}
    assert names(wanted("", *ROAD)) == runtime - build_tool
    assert names(wanted("", "dev")) == everything - build_tool
    assert "jupyterlab" in names(wanted("notebooks"))


def test_the_base_is_small_and_extras_are_known_by_their_packages() -> None:
    assert names(r for r in wanted("") if not r.marker) == {"numpy", "packaging", "tqdm"}
    known = {(distribution, extra) for distribution, extra in packages.EXTRAS.values()}
    for distribution, extra in known:
        assert distribution in names(wanted(extra)), f"pyproject.toml, extra {extra}"
    for extra in set(EXTRAS) - {"all", "dev"}:
        own = {r.name for r in map(Requirement, EXTRAS[extra]) if r.name != "hyq_hls"}
        assert own <= {distribution for distribution, _ in known}, f"packages.py, extra {extra}"
    assert names(wanted("all")) >= names(wanted(*ROAD, "synthesis", "completion", "notebooks"))


@pytest.mark.parametrize("python", PYTHONS)
def test_project_file_admits_the_pinned_versions(python: str) -> None:
    pins = pins_for("dev", python)
    for requirement in wanted("", "dev", "timm"):
        if requirement.marker and not requirement.marker.evaluate({"python_version": python}):
            continue
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def test_project_file_admits_the_tested_pythons_and_no_others() -> None:
    said = {c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c}
    assert said == set(PYTHONS)
    admitted = SpecifierSet(PROJECT["requires-python"])
    assert [p for p in map("3.{}".format, range(20)) if f"{p}.1" in admitted] == PYTHONS
    for name in ("Makefile", "requirements/env.py"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "(3, 10) <= sys.version_info[:2] <= (3, 14)" in text, name
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
        matrices = [
            job["strategy"]["matrix"]["python-version"] for job in jobs if "strategy" in job
        ]
        assert all(matrix == PYTHONS for matrix in matrices)


def test_conda_environment_names_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert "-r requirements/dev.txt" in pip
    assert "python=3.11" in environment["dependencies"]
    assert any(str(entry).startswith("jupyterlab") for entry in environment["dependencies"])


# --- make ---


def test_make_without_a_target_lists_the_targets() -> None:
    listed = re.findall(r"^  make ([a-z]+) ", make().stdout, flags=re.MULTILINE)
    assert {"env", "demo", "notebooks", "test", "lint", "format", "train", "bench", "clean"} <= set(
        listed
    )


def test_make_says_once_that_no_python_fits(tmp_path: Path) -> None:
    result = make("env", f"VENV={tmp_path / 'venv'}", "PYTHON=false")
    assert result.returncode
    assert result.stderr.count("error: ") == 1
    assert "no Python 3.10 to 3.14 found" in result.stderr


def test_make_says_that_the_venv_module_is_missing(tmp_path: Path) -> None:
    # Fits as a version, has no modules.
    python = tmp_path / "python-without-venv"
    python.write_text('#!/bin/sh\ncase "$2" in *venv*) exit 1;; esac\n', encoding="utf-8")
    python.chmod(0o755)
    result = make("env", f"VENV={tmp_path / 'venv'}", f"PYTHON={python}")
    assert result.returncode
    assert "has no venv module" in result.stderr


def test_make_says_that_the_compiler_is_missing(tmp_path: Path) -> None:
    result = make("need-cxx", f"PATH={tmp_path}")
    assert result.returncode
    assert "g++ not found" in result.stderr


def test_make_does_not_touch_a_folder_that_is_no_environment(tmp_path: Path) -> None:
    precious = tmp_path / "precious.txt"
    precious.touch()
    result = make("env", f"VENV={tmp_path}", f"PYTHON={sys.executable}")
    assert result.returncode
    assert "is not a virtual environment" in result.stderr
    assert precious.exists()
