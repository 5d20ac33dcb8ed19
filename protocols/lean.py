"""structlog without rich, for processes that never show a traceback in colours.

structlog loads rich wherever it is installed: 6 MiB in every process, for tracebacks that here are
text already (``format_exc_info``). Whoever imports this module before structlog spares them; rich
itself can be imported as ever afterwards.
"""

import sys

if "structlog" not in sys.modules and "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # to an import: it is not installed
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
