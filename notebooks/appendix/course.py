"""`import course` in the appendix: the file of the folder above, which says what it does."""

import importlib.util
import sys
from pathlib import Path

_above = Path(__file__).resolve().parents[1] / "course.py"
_spec = importlib.util.spec_from_file_location("course", _above)
sys.modules["course"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["course"])
