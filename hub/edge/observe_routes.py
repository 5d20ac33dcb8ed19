"""``GET /observe/{robot}/camera``: the newest picture of a robot's camera, for the dashboard."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from hub.edge.documented import refusals
from hub.edge.job_routes import ErrorBody
from hub.edge.services import EdgeServices


def observe_router(services: EdgeServices) -> APIRouter:
    """The route over ``services``; whoever may hear a robot may see what it sees."""
    router = APIRouter(tags=["hub"])

    @router.get(
        "/observe/{robot}/camera",
        response_class=Response,
        responses={
            **refusals(ErrorBody),
            200: {"content": {"image/jpeg": {}}},
            204: {"description": "No picture."},
        },
    )
    async def camera(robot: Annotated[str, Path(max_length=64)]) -> Response:
        """The newest picture, from memory; ``X-Picture-Age-Ms`` says how old it is. 204: the camera
        has sent nothing, or ``HUB_CAMERA_CONSENT`` does not name its robot."""
        shown = services.observatory.picture_of(robot, services.clock_ns())
        if shown is None:
            return Response(status_code=204)
        headers = {"X-Picture-Age-Ms": str(shown.age_ms), "Cache-Control": "no-store"}
        return Response(shown.jpeg, headers=headers, media_type="image/jpeg")

    return router
