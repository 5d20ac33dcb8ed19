"""What systemd says of a unit."""

import configparser
import re
import subprocess
import sys
from pathlib import Path


def read(unit: Path) -> configparser.ConfigParser:
    """The sections of a unit."""
    parser = configparser.ConfigParser(
        interpolation=None, strict=False, delimiters=("=",), comment_prefixes=("#",)
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit)
    return parser


def faults(unit: Path, executable: str, folder: Path) -> list[str]:
    """What systemd finds wrong with ``unit``, whose program and users need not be there: a copy
    that has others is looked at in ``folder``."""
    here = folder / unit.name
    text = unit.read_text().replace(executable, sys.executable)
    here.write_text(re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.MULTILINE))
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(here)], capture_output=True, text=True
    )
    ours = [line for line in result.stderr.splitlines() if unit.name in line]
    return ours or ([result.stderr] if result.returncode else [])
