"""Turn the manuscripts into executed notebooks: book/chapters/NN_name.md -> notebooks/NN_name.ipynb.

    python -m tools.notebooks            all that are out of date
    python -m tools.notebooks 01_mdps    only this one
    python -m tools.notebooks --force    also what is up to date
    python -m tools.notebooks --check    change nothing; say what is out of date and why, and exit with 1

A notebook is up to date when the fingerprints in its metadata are those of its manuscript, of the modules of rlkit that
it imports, of the functions whose source it shows, and of the stored results that it loads.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools import provenance

if TYPE_CHECKING:  # Jupyter's libraries take seconds to import, and only the making of a notebook needs them
    from nbformat import NotebookNode

ROOT = provenance.ROOT
MANUSCRIPTS = ROOT / "book" / "chapters"
NOTEBOOKS = ROOT / "notebooks"
CELL_TIMEOUT = 300  # seconds
MAX_BYTES = 2_000_000
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {
        "name": "python",
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "pygments_lexer": "ipython3",
    },
}
# What differs from run to run, or between two machines, and so must not stand in a committed output.
NOT_REPRODUCIBLE = {
    r"ipykernel_\d+|ipykernel[/\\]": "a path of the kernel",
    r"\b0x[0-9a-f]{8,}\b": "the address of an object (end the line with a semicolon, or return nothing)",
}


def convert(manuscript: str) -> NotebookNode:
    """Return the notebook of a manuscript, not executed: the same text gives the same notebook, ids included."""
    import jupytext
    from nbformat import from_dict

    cells = jupytext.reads(manuscript, fmt="md:myst").cells
    for cell, cell_id in zip(cells, cell_ids(cells), strict=True):
        cell.id = cell_id
    return from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def cell_ids(cells: list[Any]) -> list[str]:
    """Return the ids that these cells must have: hashes of their content, so that an edited cell is noticed."""
    seen: Counter[str] = Counter()
    ids = []
    for cell in cells:
        key = f"{cell['cell_type']}\n{cell['source']}"
        seen[key] += 1
        ids.append(provenance.sha256(f"{key}\n{seen[key]}")[:12])
    return ids


def execute(notebook: NotebookNode, name: str) -> None:
    """Run every cell in a fresh kernel, in the folder of the notebooks, and tell the progress on stderr."""
    from nbclient import NotebookClient  # not needed by --check

    os.environ |= {"OMP_NUM_THREADS": "1", "RLKIT_PROGRESS": "off"}
    os.environ.pop("MPLBACKEND", None)

    def tell(cell: NotebookNode, cell_index: int) -> None:
        if sys.stderr.isatty():
            print(f"\r{name}: cell {cell_index + 1} of {len(notebook.cells)} ", end="", file=sys.stderr, flush=True)

    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        kernel_name="python3",
        record_timing=False,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(NOTEBOOKS)}},
        on_cell_start=tell,
    )
    started = time.perf_counter()
    try:
        client.execute()
    finally:
        print(f"\r{name}: executed in {time.perf_counter() - started:.0f} s ", file=sys.stderr)


def clean(notebook: NotebookNode) -> None:
    """Remove from an executed notebook what is not the same on every run."""
    notebook.metadata.clear()  # the kernel has added the version of Python, ipywidgets their state
    notebook.metadata.update(METADATA)
    for cell in code_cells(notebook):
        merged: list[NotebookNode] = []
        for output in cell.outputs:
            if "data" in output:
                output.data.pop(WIDGET_VIEW, None)
            if merged and output.output_type == merged[-1].output_type == "stream" and output.name == merged[-1].name:
                merged[-1].text += output.text
            elif output.get("data") != {}:
                merged.append(output)
        cell.outputs = merged


def problems(notebook: NotebookNode) -> list[str]:
    """Return one sentence for everything in the outputs that must not be committed."""
    import nbformat

    found = []
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"cell {number} ends in an error: {output.ename}: {output.evalue}")
            elif output.get("name") == "stderr":
                found.append(f"cell {number} writes to stderr: {output.text.strip()[:200]}")
            for pattern, what in NOT_REPRODUCIBLE.items():
                if match := re.search(pattern, str(output.get("text", "")) + str(output.get("data", ""))):
                    found.append(f"cell {number} prints {what}: {match[0]}")
    size = len(nbformat.writes(notebook).encode())
    if size > MAX_BYTES:
        found.append(f"it has {size:,} bytes, but at most {MAX_BYTES:,} are allowed")
    return found


def keep_unchanged(notebook: NotebookNode, old: NotebookNode) -> None:
    """Put back the old outputs of each cell where the new ones are the same to nbval and to the eye."""
    from tools.pictures import same_output  # brings Pillow and nbval, which --check does not need

    before = {cell.id: cell.outputs for cell in code_cells(old)}
    for cell in code_cells(notebook):
        outputs = before.get(cell.id, [])  # equal ids mean equal sources
        if len(outputs) == len(cell.outputs) and all(map(same_output, outputs, cell.outputs)):
            for output, same in zip(cell.outputs, outputs, strict=True):
                output.update({key: same[key] for key in ("text", "data") if key in same})


def fingerprints(manuscript: str, notebook: dict[str, Any]) -> dict[str, Any]:
    """Return the hashes of all that the outputs of this executed notebook depend on."""
    cells = code_cells(notebook)
    names = [
        name
        for cell in cells
        for output in cell["outputs"]
        for name in output.get("metadata", {}).get("rlkit_shows", [])
        if name.startswith(f"{provenance.PACKAGE}.")
    ]
    return {
        "manuscript": provenance.sha256(manuscript),
        "modules": provenance.modules(cell["source"] for cell in cells),
        "shown": provenance.shown(names),
        "results": provenance.results(cell["source"] for cell in cells),
    }


def out_of_date(manuscript: str, notebook: dict[str, Any]) -> list[str]:
    """Return why a notebook is out of date, in a few words for each reason; nothing when it is not."""
    recorded = notebook["metadata"].get("rlkit", {})
    if recorded.get("manuscript") != provenance.sha256(manuscript):
        return ["its manuscript has changed"]
    if [cell["id"] for cell in notebook["cells"]] != cell_ids(notebook["cells"]):
        return ["a cell of it was edited by hand"]
    try:
        current = fingerprints(manuscript, notebook)
    except ValueError as error:
        return [str(error)]
    return [
        f"{name} has changed"
        for kind in ("modules", "shown", "results")
        for name in sorted(current[kind].keys() | recorded.get(kind, {}).keys())
        if current[kind].get(name) != recorded.get(kind, {}).get(name)
    ]


def make(name: str) -> None:
    """Convert, execute, clean and write one notebook, all or nothing.

    Raises:
        ValueError: an output that must not be committed.
        nbclient.exceptions.CellExecutionError: a cell that fails.
    """
    import nbformat

    manuscript = (MANUSCRIPTS / f"{name}.md").read_text("utf-8")
    target = NOTEBOOKS / f"{name}.ipynb"
    notebook = convert(manuscript)
    execute(notebook, name)
    clean(notebook)
    if found := problems(notebook):
        raise ValueError("\n".join(f"{name}: {problem}" for problem in found))
    if target.exists():
        keep_unchanged(notebook, nbformat.read(target, as_version=4))
    notebook.metadata["rlkit"] = fingerprints(manuscript, notebook)
    temporary = target.with_suffix(".ipynb.tmp")
    nbformat.write(notebook, temporary)
    os.replace(temporary, target)


def load(path: Path) -> dict[str, Any]:
    """Read a notebook as plain data, with the source of each cell as one string."""
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def code_cells(notebook: dict[str, Any]) -> list[Any]:
    """Return the code cells of a notebook."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def reasons(name: str) -> list[str]:
    """Return why this notebook must be made (again); nothing when it is up to date."""
    target = NOTEBOOKS / f"{name}.ipynb"
    if not target.exists():
        return ["it has not been made yet"]
    return out_of_date((MANUSCRIPTS / f"{name}.md").read_text("utf-8"), load(target))


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description="Make notebooks from manuscripts.")
    parser.add_argument("names", nargs="*", help="chapters, such as 01_mdps (all, unless said)")
    parser.add_argument("--force", action="store_true", help="make them even when they are up to date")
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 when one is out of date")
    options = parser.parse_args(arguments)
    NOTEBOOKS.mkdir(exist_ok=True)
    known = sorted(path.stem for path in MANUSCRIPTS.glob("[0-9]*.md"))
    names = [Path(name).stem for name in options.names] or known
    if unknown := sorted(set(names) - set(known)):
        parser.error(f"there is no chapter {', '.join(unknown)}; there are {', '.join(known)}")
    failed = False
    for name in names:
        why = reasons(name)
        if not (why or options.force):
            continue
        if why:
            print(f"notebooks/{name}.ipynb is out of date: {', '.join(why)}", file=sys.stderr)
        if options.check:
            failed |= bool(why)
            continue
        try:
            make(name)
        except Exception as error:  # a failing chapter must not keep the others from being made
            print(error, file=sys.stderr)
            failed = True
    if options.check and failed:
        print("Run `make notebooks`.", file=sys.stderr)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
