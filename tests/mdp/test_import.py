"""rlkit.mdp loads at once, and where torch does not run."""

import subprocess
import sys

HEAVY = ("torch", "matplotlib", "gymnasium", "IPython", "ipywidgets", "scipy.optimize")


def test_importing_mdp_loads_nothing_heavy():
    code = f"import sys, rlkit.mdp; print([name for name in {HEAVY} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
