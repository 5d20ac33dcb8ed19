"""``GET /v1/models`` and ``GET /v1/models/{id}``: https://platform.openai.com/docs/api-reference/models"""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel

from hub.edge.openai.asking import Desk
from hub.edge.openai.chat_answers import now_s
from hub.edge.openai.naming import KINDS, UnknownModel, model_id, serving
from hub.edge.openai.refusing import OpenAiRoute, refused
from protocols.messages.agent import AgentKind

OWNER = "robot-hub"


class ModelBody(BaseModel):
    """A model that is there. ``kind`` is the trade of its agent, ``backend`` its engine."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = OWNER
    kind: AgentKind
    backend: str


class ModelsBody(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[ModelBody]


def model_list_router(desk: Desk) -> APIRouter:
    """The routes over ``desk``."""
    router = APIRouter(route_class=OpenAiRoute, tags=["openai"])
    since_s = now_s()

    @router.get("/models", responses=refused(job=False))
    async def models() -> ModelsBody:
        """The models that agents serve with now; ``created`` is when the hub was started."""
        return ModelsBody(data=_models(desk, since_s))

    @router.get(
        "/models/{model_id:path}", responses=refused(job=False, s404="There is no such model.")
    )
    async def model(model_id: Annotated[str, Path(max_length=500)]) -> ModelBody:
        """One of them, by its name or an alias of it."""
        asked = model_id
        for kind in KINDS:
            try:
                named = desk.model(asked, kind)
            except UnknownModel:
                continue
            for found in _models(desk, since_s):
                if found.kind is kind and named in ("", found.id):
                    return found
        raise UnknownModel(f"there is no model {asked!r}")

    return router


def _models(desk: Desk, since_s: int) -> list[ModelBody]:
    found: dict[tuple[AgentKind, str], ModelBody] = {}
    for kind in KINDS:
        for agent in serving(desk.agents(), kind):
            body = ModelBody(id=model_id(agent), created=since_s, kind=kind, backend=agent.backend)
            found.setdefault((kind, body.id), body)
    return list(found.values())
