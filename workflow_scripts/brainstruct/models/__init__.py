"""Model families behind one small interface; importing this package loads no torch."""

import sys

from brainstruct.models.operators import Declaring

sys.meta_path.insert(0, Declaring())
