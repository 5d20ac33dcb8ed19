"""Errors of Wespoke's routes, by the step that failed."""

from starlette.responses import JSONResponse

from hub.edge.http_errors import WESPOKE, headers_of, refusal_of
from hub.edge.job_errors import status_of
from hub.errors import Busy, JobError

TRANSCRIPTION, GENERATION = "TranscriptionError", "GenerationError"
CHAT, RAG, PROCESSING = "ChatError", "RAGError", "ProcessingError"
_VALIDATION, _RATE = "ValidationError", "RateLimitError"


def failed_as(name: str, error: JobError) -> JSONResponse:
    """The answer to a request whose step ``name`` failed by ``error``. What the client itself can
    put right is a ``ValidationError``, as its document has it."""
    status = status_of(error)
    if status == 422:
        status = WESPOKE.invalid
    if status == 429:
        name = _RATE
        error = error if isinstance(error, Busy) else Busy(str(error), error.code)
    elif status < 500:
        name = _VALIDATION
    document = WESPOKE.shape(refusal_of(error, status))
    document["detail"]["error"] = name
    return JSONResponse(document, status, headers_of(error, status))
