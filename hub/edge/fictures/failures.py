"""How jobs of the Fictures AI server fail, for whoever asked."""

from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from hub.edge.disconnect import ClientGone
from hub.edge.job_errors import failed
from hub.errors import JobError

TEXT, IMAGE = "Text generation failed", "Image generation failed"

T = TypeVar("T")


def sentence_of(error: JobError, what: str) -> str:
    """The documented sentence on a failure."""
    return f"{what}: {error}"


async def worked(request: Request, what: str, work: Coroutine[Any, Any, T]) -> T | Response:
    """The result of ``work``, or the answer that tells why there is none."""
    try:
        return await work
    except JobError as error:
        return failed(request, error, sentence_of(error, what))
    except ClientGone:
        return Response(status_code=499)
