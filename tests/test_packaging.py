"""The wheel, the lock files and the make targets hold what they promise."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import hyq_hls
from hyq_hls.errors import HyqError
from hyq_hls.support import templates

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ["runtime", "dev"]
PYTHONS = ["3.10", "3.11", "3.12"]


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


def test_wheel_ships_templates_checkpoints_and_licence(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    # A copy: setuptools would reuse whatever an earlier build left in build/.
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    for folder in [ROOT / "hyq_hls", *ROOT.glob("*_templates")]:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(folder, source / folder.name, ignore=ignore)
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


# --- requirements ---


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_pins_one_version_on_every_line(lock: str) -> None:
    for line in (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.match(r"[a-z0-9-]+==[0-9][^\s*,]*(\s|$)", line), line


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_lock_answers_its_source_for_every_python(lock: str, python: str) -> None:
    pins = pins_for(lock, python)
    for wanted in requirements(f"{lock}.in"):
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


@pytest.mark.parametrize("python", PYTHONS)
def test_development_lock_contains_the_runtime_lock(python: str) -> None:
    assert pins_for("runtime", python).items() <= pins_for("dev", python).items()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_leaves_the_gpu_packages_to_the_gpu_build_of_torch(lock: str) -> None:
    assert not [n for n in names(requirements(f"{lock}.txt")) if n.startswith(("nvidia", "cuda"))]


def test_project_file_and_requirement_sources_name_the_same_packages() -> None:
    runtime = names(requirements("runtime.in"))
    build_tool = {"setuptools"}
    extras = PROJECT["optional-dependencies"]
    assert names(map(Requirement, PROJECT["dependencies"])) == runtime - build_tool
    assert names(map(Requirement, extras["dev"])) == names(requirements("dev.in")) - runtime
    assert "jupyterlab" in names(map(Requirement, extras["notebooks"]))


@pytest.mark.parametrize("python", PYTHONS)
def test_project_file_admits_the_pinned_versions(python: str) -> None:
    pins = pins_for("dev", python)
    for wanted in map(
        Requirement, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    ):
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


def test_conda_environment_names_the_lock() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert "-r requirements/dev.txt" in pip
    assert "python=3.11" in environment["dependencies"]


# --- make ---


def test_make_without_a_target_lists_the_targets() -> None:
    listed = re.findall(r"^  make ([a-z]+) ", make().stdout, flags=re.MULTILINE)
    assert {"env", "demo", "test", "lint", "format", "train", "bench", "clean"} <= set(listed)


def test_make_says_once_that_no_python_fits(tmp_path: Path) -> None:
    result = make("env", f"VENV={tmp_path / 'venv'}", "PYTHON=false")
    assert result.returncode
    assert result.stderr.count("error: ") == 1
    assert "no Python 3.10, 3.11 or 3.12 found" in result.stderr


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
