"""The light install of a robot, in a virtual environment of its own: the packages and the libraries
that ``packages/supervisor`` declares, and nothing else of what is installed here."""

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "packages" / "supervisor" / "pyproject.toml"
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def declared() -> list[str]:
    """The distributions that the light install asks for."""
    wanted = tomllib.loads(PACKAGE.read_text())["project"]["dependencies"]
    return [found[0] for line in wanted if (found := _NAME.match(line))]


def light_python(folder: Path) -> Path:
    """The interpreter of an environment that has the light install and no more."""
    venv.create(folder / "light", with_pip=False, symlinks=True)
    libraries = folder / "libraries"
    libraries.mkdir()
    for name in _with_requirements(declared()):
        _link(name, libraries)
    for package in ("protocols", "robot_sim"):
        (libraries / package).symlink_to(ROOT / package)
    python = folder / "light" / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = subprocess.run(
        [python, "-I", "-c", asked], capture_output=True, text=True, check=True
    ).stdout.strip()
    (Path(site) / "light.pth").write_text(f"{libraries}\n")
    return python


def _with_requirements(names: list[str]) -> set[str]:
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            required = distribution(name).requires or []
            always = [line for line in required if "extra ==" not in line and _is_meant(line)]
            names += [match[0] for line in always if (match := _NAME.match(line))]
    return found


def _is_meant(requirement: str) -> bool:
    """Whether a requirement holds on this machine; markers that matter here are few."""
    marker = requirement.partition(";")[2]
    elsewhere = "win32" in marker or "Windows" in marker or 'python_version < "3.11"' in marker
    return not elsewhere


def _link(name: str, libraries: Path) -> None:
    """Let ``libraries`` have what the distribution installed here."""
    home = Path(sysconfig.get_paths()["purelib"])
    tops = {file.parts[0] for file in distribution(name).files or []}
    for top in tops - {"..", "bin", "__pycache__"}:
        if (home / top).exists() and not (libraries / top).exists():
            (libraries / top).symlink_to(home / top)


def has(python: Path, module: str) -> bool:
    """Whether ``python`` can import ``module``."""
    return (
        subprocess.run(
            [python, "-I", "-c", f"import {module}"], stderr=subprocess.DEVNULL
        ).returncode
        == 0
    )


if __name__ == "__main__":
    sys.stdout.write(f"{light_python(Path(sys.argv[1]))}\n")
