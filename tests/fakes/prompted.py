"""A scripted planner that remembers what it was asked."""

from collections.abc import AsyncGenerator

from agents.engines.language.base import Ending, Prompt
from agents.planner.backends.scripted import Script, ScriptedPlanner
from agents.runtime.errors import AgentError


class PromptedPlanner(ScriptedPlanner):
    """``prompts`` are those of all chats, in order. It counts tokens unless ``counts`` says no."""

    def __init__(self, *answers: tuple[str, ...], pause_s: float = 0.0) -> None:
        super().__init__(model="tiny-chat")
        self.prompts: list[Prompt] = []
        self.counts = True
        self.play(*answers, pause_s=pause_s)

    def play(
        self, *answers: tuple[str, ...], pause_s: float = 0.0, error: AgentError | None = None
    ) -> None:
        """Answer the next chats so, each in its pieces."""
        self._scripts.extend(Script(pieces, pause_s, error) for pieces in answers)

    def chat(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        self.prompts.append(prompt)
        if self.counts:
            return super().chat(prompt)
        return super().chat(prompt._replace(ended=lambda _: prompt.ended(Ending("length"))))
