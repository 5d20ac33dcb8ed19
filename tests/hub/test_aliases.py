"""Names of models that old clients have written into them."""

import pytest

from hub.aliases import DOCUMENTED, aliases_of
from hub.settings import SettingsError, load


def test_names_of_the_documents_mean_whatever_is_there() -> None:
    aliases = aliases_of(())

    assert {aliases[name.lower()] for name in DOCUMENTED} == {""}


def test_a_setting_goes_before_them_and_adds_to_them() -> None:
    aliases = aliases_of(("Phi4=qwen3:14b", "my-model = ", "deep=org/deep-7b"))

    assert aliases["phi4"] == "qwen3:14b"
    assert aliases["my-model"] == ""
    assert aliases["deep"] == "org/deep-7b"
    assert aliases["llava:13b"] == ""


@pytest.mark.parametrize("text", ["phi4", "=qwen", " = "])
def test_what_is_no_alias_is_an_error_that_names_its_setting(text: str) -> None:
    with pytest.raises(SettingsError, match=r"MODEL_ALIASES names .* an alias is like"):
        load(model_aliases=text)
