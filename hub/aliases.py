"""Names that clients ask for models by, and what they mean here: ``phi4=qwen3:14b``. Pure."""

DOCUMENTED = (
    "phi4",
    "llava",
    "llava:13b",
    "gemma",
    "google/gemma-2b-it",
    "qwen3:32b",
    "microsoft/Fara-7B",
    "Qwen2.5-32B-Instruct",
    "Qwen2.5-VL-32B-Instruct",
    "Flux-Dev",
    "stabilityai/stable-diffusion-xl-base-1.0",
)
"""Names that the clients of the systems before this one have written into them. Unless a setting
says more, each means whatever model is there."""


def aliases_of(texts: tuple[str, ...]) -> dict[str, str]:
    """What each name means, in lower case; empty: whatever model is there. What is written in
    ``texts`` as ``name=model`` goes before what is documented.

    Raises:
        ValueError: one of them is written otherwise.
    """
    found = {name.lower(): "" for name in DOCUMENTED}
    for text in texts:
        name, sign, model = (part.strip() for part in text.partition("="))
        if not name or not sign:
            raise ValueError(f"names {text!r}; an alias is like phi4=qwen3:14b, or phi4= for any")
        found[name.lower()] = model
    return found


def checked_aliases(texts: tuple[str, ...]) -> tuple[str, ...]:
    """``texts``; raises as ``aliases_of``."""
    aliases_of(texts)
    return texts
