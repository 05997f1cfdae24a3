"""Rules for the schemas of the OpenAPI document: what we answer may gain fields, and everything has an example."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.web.openapi_examples import TEXTS, VALUES, NoExample, example_of

ANY_TYPE = "*/*"

Document = dict[str, Any]


def loosen_responses(document: Document) -> None:
    """Allow further properties in every schema that is not only read: an answer may gain fields in any release.

    A request keeps its strictness: a property that is not known is refused.
    """
    schemas = document["components"]["schemas"]
    read_only = _reachable(_requests(document), schemas) - _reachable(_responses(document), schemas)
    for name, schema in schemas.items():
        if name not in read_only:
            for each in _objects(schema):
                if each.get("additionalProperties") is False:
                    del each["additionalProperties"]


def name_any_type(document: Document) -> None:
    """Say of a response of any media type that it is bytes: tools that generate clients do not know `*/*`."""
    for operation in _operations(document):
        for response in operation["responses"].values():
            if ANY_TYPE in response.get("content", {}):
                media = response["content"].pop(ANY_TYPE)
                response["content"] |= {"application/octet-stream": media, ANY_TYPE: {**media}}


def add_examples(document: Document) -> list[str]:
    """Give each operation an example of its path, of its request and of each response that names none.

    Return what has none, for a test: a document without an example is better than no document.
    """
    schemas = document["components"]["schemas"]
    return [
        f"{operation['operationId']}: {missing}"
        for operation in _operations(document)
        for missing in (*_add_parameters(operation), *_add_contents(operation, schemas))
    ]


def _add_parameters(operation: dict[str, Any]) -> Iterator[str]:
    for parameter in operation["parameters"]:
        if parameter.get("required", False) and "example" not in parameter:
            if parameter["name"] in VALUES:
                parameter["example"] = VALUES[parameter["name"]]
            else:
                yield str(parameter["name"])


def _add_contents(operation: dict[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    contents = [operation.get("requestBody", {}).get("content", {})]
    contents += [each.get("content", {}) for each in operation["responses"].values()]
    for kind, media in ((kind, media) for content in contents for kind, media in content.items()):
        try:
            if "example" not in media and "examples" not in media:
                media["example"] = _example(kind, media["schema"], schemas, operation["operationId"])
        except NoExample as error:
            yield str(error)


def _example(kind: str, schema: Mapping[str, Any], schemas: Mapping[str, Any], operation_id: str) -> Any:
    if kind in ("application/json", "multipart/form-data"):
        return example_of(schema, schemas)
    if operation_id not in TEXTS:
        raise NoExample(kind)
    return TEXTS[operation_id]


def _operations(document: Document) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _requests(document: Document) -> list[Any]:
    return [operation["requestBody"] for operation in _operations(document) if "requestBody" in operation]


def _responses(document: Document) -> list[Any]:
    return [document["webhooks"], *(operation["responses"] for operation in _operations(document))]


def _reachable(roots: Any, schemas: Mapping[str, Any]) -> set[str]:
    """Return the names of the schemas that these parts of the document refer to, also through others."""
    names: set[str] = set()
    to_follow = [roots]
    while to_follow:
        for each in _objects(to_follow.pop()):
            name = str(each.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in names:
                names.add(name)
                to_follow.append(schemas[name])
    return names


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a part of the document."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _objects(inner)
