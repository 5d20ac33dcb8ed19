"""Forms (``multipart/form-data``) as bodies with a schema: how they are checked, and documented."""

from collections.abc import Sequence
from typing import Any, TypeVar, get_args, get_origin

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from hub.edge.form_body import Form
from hub.edge.openai.fields import Body

B = TypeVar("B", bound=Body)


def fields_of(body: type[B], form: Form) -> B:
    """The fields of ``form``; one that is a list comes once for each of its values.

    Raises:
        RequestValidationError: they do not fit.
    """
    given: dict[str, Any] = {}
    for name, field in body.model_fields.items():
        values = form.texts(name)
        if values:
            given[name] = values if _is_list(field.annotation) else values[-1]
    try:
        return body.model_validate(given)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from None


def documented_form(
    body: type[Body], required: Sequence[str], optional: Sequence[str] = ()
) -> dict[str, Any]:
    """The request body of a route that reads its form itself, for the OpenAPI document; the names
    are those of files."""
    schema = body.model_json_schema(ref_template="#/components/schemas/{model}")
    file = {"type": "string", "format": "binary"}
    schema["properties"] |= dict.fromkeys((*required, *optional), file)
    schema["required"] = [*required, *schema.get("required", ())]
    content = {"multipart/form-data": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, get_args(annotation)))
