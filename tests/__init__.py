"""Rich takes a console's width for ever from COLUMNS where that is set, as tests do for one command, and xdist for all."""

import os

os.environ.pop("COLUMNS", None)
