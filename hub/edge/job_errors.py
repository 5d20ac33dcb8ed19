"""HTTP statuses of jobs that failed, by the codes of the agents that did them."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from hub.edge.http_errors import STATUS, answer_at
from hub.errors import Busy, JobError

_BY_CODE = {
    "no_such_model": 404, "llm_model_missing": 404,
    "too_large": 413,
    "bad_name": 400, "bad_query": 400, "empty_document": 400, "not_text": 415,
    "unknown_base": 404, "base_full": 409, "disk_full": 507, "memory_locked": 503,
    "no_audio": 400, "bad_audio": 400,
    "bad_chat": 400, "bad_schema": 422, "bad_guide": 422, "bad_picture": 400,
    "too_many_pictures": 400, "bad_size": 400, "bad_image_request": 400,
    "image_no_masks": 501, "guide_unsupported": 501, "llm_no_pictures": 501,
    "no_vision_model": 501,
    "backend_busy": 429, "llm_busy": 429,
    "backend_timeout": 504, "llm_timeout": 504,
    "backend_unavailable": 503, "agent_draining": 503, "job_cancelled": 503,
}  # fmt: skip
"""What stands in no row is an engine that failed: 502."""


def status_of(error: JobError) -> int:
    """The status of an answer that tells ``error``."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next(status for kind, status in STATUS.items() if isinstance(error, kind))


def failed(request: Request, error: JobError, detail: str = "") -> JSONResponse:
    """The answer to a request whose job failed, in its family's shape. ``detail`` stands in place
    of the error's own sentence."""
    status = status_of(error)
    sentence = detail or str(error)
    if status == 429:
        retry_after_s = error.retry_after_s if isinstance(error, Busy) else 1
        return answer_at(request.url.path, Busy(sentence, error.code, retry_after_s), status)
    return answer_at(request.url.path, JobError(sentence, error.code), status)
