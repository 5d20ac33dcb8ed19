"""What routes under ``/v1`` ask of the hub."""

from collections.abc import AsyncGenerator, Mapping, Sequence

from starlette.requests import Request

from hub.edge.grants import grant_of
from hub.edge.openai.naming import model_named
from hub.edge.services import EdgeServices
from hub.jobs.admission import AgentView
from hub.jobs.inference import Inference
from hub.jobs.job import JobClass
from hub.jobs.orders import Caller
from protocols.messages.agent import AgentKind
from protocols.messages.job import SpeakRequest

DEADLINE_S = 600.0
"""How long OpenAI's clients wait for an answer, if they are not told otherwise."""


class Desk:
    """Jobs in the name of the caller of a request."""

    def __init__(self, services: EdgeServices) -> None:
        self._services = services
        self.models = Inference(services.jobs)
        self.recordings = services.recordings
        self.threads = services.threads

    @property
    def aliases(self) -> Mapping[str, str]:
        """What further names mean."""
        return self._services.facts.aliases

    def agents(self) -> Sequence[AgentView]:
        """Every agent there is."""
        return self._services.agents()

    def model(self, name: str, kind: AgentKind) -> str:
        """The model that agents of ``kind`` are asked for; raises ``UnknownModel``."""
        return model_named(name, kind, self.agents(), self.aliases)

    def speak(self, wanted: SpeakRequest, request: Request) -> AsyncGenerator[bytes, None]:
        """Audio of a text as it is made, for whoever sent ``request``; see ``JobDesk.speak``."""
        return self._services.jobs.speak(wanted, client=grant_of(request).id)

    def count(self, what: str) -> None:
        """Count a mishap."""
        self._services.counters.count(what)

    def caller(self, request: Request, job_class: JobClass = JobClass.INTERACTIVE) -> Caller:
        """Who asks, and how urgently."""
        return Caller(grant_of(request).id, job_class=job_class, deadline_s=DEADLINE_S)
