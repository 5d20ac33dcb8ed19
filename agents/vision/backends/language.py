"""The models that see which the settings name; each engine is imported when it is chosen."""

from agents.engines.language.base import LanguageModel
from agents.engines.on_disk import missing
from agents.runtime.errors import BackendUnavailable
from agents.vision.settings import LLAVA, VisionSettings

KEEP_ALIVE = "5m"
"""How long Ollama keeps the model after an answer."""
OLLAMA_CONTEXT = 8_192
"""A picture takes up to some thousand tokens."""


def openai(settings: VisionSettings) -> LanguageModel:
    """The server that the settings name, or several, the first that is healthy first.

    Raises:
        BackendUnavailable: they name none.
    """
    from agents.engines.language.failover import Failover
    from agents.engines.language.openai import OpenAiModel, Server

    models = [
        # A picture may take a model without a GPU most of its time before the first word.
        OpenAiModel(Server(*server, settings.timeout_s, settings.temperature, settings.timeout_s))
        for server in settings.servers
    ]
    if not models:
        raise BackendUnavailable("no server is named by OPENAI_BASE_URL")
    return models[0] if len(models) == 1 else Failover(models)


def anthropic(settings: VisionSettings) -> LanguageModel:
    """Anthropic's server.

    Raises:
        BackendUnavailable: there is no key for it.
    """
    from agents.engines.language.anthropic import AnthropicModel, Server

    key = settings.anthropic_api_key.get_secret_value()
    if not key:
        raise BackendUnavailable("no key is given by ANTHROPIC_API_KEY")
    return AnthropicModel(
        Server(key, settings.anthropic_base_url, settings.anthropic_model, settings.timeout_s)
    )


def ollama(settings: VisionSettings) -> LanguageModel:
    """The Ollama server and the model that the settings name, or its first LLaVA. It downloads
    nothing."""
    from agents.engines.language.ollama import OllamaModel, Server

    return OllamaModel(
        Server(
            base_url=settings.ollama_url,
            model=settings.model,
            family=LLAVA,
            auto_pull=False,
            answer_keep_alive=KEEP_ALIVE,
            num_ctx=OLLAMA_CONTEXT,
            temperature=settings.temperature,
            answer_s=settings.timeout_s,
        )
    )


def transformers(settings: VisionSettings) -> LanguageModel:
    """The model on disk that the settings name.

    Raises:
        BackendUnavailable: it is not there, or its libraries are not.
    """
    from agents.engines.language.transformers import TransformersModel, TransformersOptions

    if lack := missing(settings.hf_model):
        raise BackendUnavailable(lack)
    return TransformersModel(
        TransformersOptions(
            model=settings.hf_model,
            device=settings.hf_device,
            load_in_8bit=settings.hf_load_in_8bit,
            temperature=settings.temperature,
            timeout_s=settings.timeout_s,
        )
    )


def scripted(settings: VisionSettings) -> LanguageModel:
    """One that plays a part; for tests."""
    from agents.vision.backends.scripted import ScriptedModel

    return ScriptedModel(model=settings.model)
