"""The library under the course: learn disentanglement by doing it.

Every module has one subject and is short: open it. The public names stand in `__init__.pyi`. A name
is looked up in its module at first use, so that drawing a circle does not wait for, or need, what
only plotting or training uses.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
