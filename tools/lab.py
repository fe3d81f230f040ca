"""Open the notebooks in JupyterLab as the learner's own copies, in my_work/.

    python -m tools.lab                        copy what is missing, say what has changed, start JupyterLab
    python -m tools.lab --copy-only            all but the start
    python -m tools.lab -- --no-browser ...    what follows -- goes to JupyterLab

A copy that was edited is never overwritten: when its chapter has changed since, the new one is laid beside it.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import itertools
import json
import os
import sys
from pathlib import Path

from tools.provenance import ROOT

ORIGINALS = ROOT / "notebooks"
WORK = ROOT / "my_work"
RECORD = (
    ".originals.json"  # {notebook: {"copied": hash of the original its copy came from, "offered": ... laid beside it}}
)


def refresh(originals: Path, work: Path, today: datetime.date) -> tuple[list[str], list[Path]]:
    """Bring the copies in ``work`` up to date, without touching what the learner has edited.

    Returns:
        A sentence for each thing done, and the copies that are equal to their original, byte for byte.
    """
    work.mkdir(exist_ok=True)
    record_file = work / RECORD
    record: dict[str, dict[str, str]] = json.loads(record_file.read_text()) if record_file.exists() else {}
    said, fresh = [], []
    for original in sorted(originals.glob("*.ipynb")):
        copy, latest = work / original.name, _hash(original)
        seen = record.setdefault(original.name, {})
        if not copy.exists():
            _copy(original, copy)
            said.append(f"{copy.name} is new.")
        elif _hash(copy) not in (latest, seen.get("copied")):  # edited
            if latest not in seen.values():
                beside = _free_name(copy, today)
                _copy(original, beside)
                fresh.append(beside)
                seen["offered"] = latest
                said.append(
                    f"{copy.name} has changed in the book. Yours is edited and stays; the new one is {beside.name}."
                )
            continue
        elif _hash(copy) != latest:
            _copy(original, copy)
            said.append(f"{copy.name} has changed in the book. You had not edited your copy: it is the new one now.")
        record[original.name] = {"copied": latest}
        fresh.append(copy)
    _write(record_file, json.dumps(record, indent=1).encode())
    return said, fresh


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_suffix(f"{path.suffix}.tmp")
    temporary.write_bytes(content)
    os.replace(temporary, path)


def _copy(original: Path, target: Path) -> None:
    _write(target, original.read_bytes())


def _free_name(copy: Path, today: datetime.date) -> Path:
    ends = itertools.chain([""], (f"-{k}" for k in itertools.count(2)))
    names = (copy.with_name(f"{copy.stem}.new-{today}{end}.ipynb") for end in ends)
    return next(name for name in names if not name.exists())


def trust(notebooks: list[Path]) -> None:
    """Mark notebooks as ours, as ``jupyter trust`` does: JupyterLab hides scripts and SVG in the outputs of others."""
    import nbformat
    from nbformat.sign import NotebookNotary

    notary = NotebookNotary()
    for path in notebooks:
        notary.sign(nbformat.read(path, as_version=4))


def main(arguments: list[str]) -> None:
    """Run the command line."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="python -m tools.lab", description="Open your copies of the notebooks.")
    parser.add_argument("--copy-only", action="store_true", help="do not start JupyterLab")
    options = parser.parse_args(arguments[:at])
    said, fresh = refresh(ORIGINALS, WORK, datetime.date.today())
    print("\n".join(said or ["Your copies in my_work/ are up to date."]))
    trust(fresh)
    if not options.copy_only:
        from jupyterlab.labapp import LabApp

        LabApp.launch_instance([f"--ServerApp.root_dir={WORK}", *arguments[at + 1 :]])


if __name__ == "__main__":
    main(sys.argv[1:])
