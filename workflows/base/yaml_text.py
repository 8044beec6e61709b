"""YAML read by libyaml, which takes a tenth of the time that Python takes: a start-up reads three hundred files.

Its composer recurses in C, where no limit of Python's stops it: whatever is nested deeper than any file of ours is refused first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from yaml import SafeLoader as SafeLoader
else:
    #: The safe loader to be derived from; Python's own where PyYAML came without libyaml.
    SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: Levels of mappings and lists.
DEEPEST = 60


def load(text: str, loader: type[yaml.SafeLoader] = SafeLoader) -> Any:
    """The content of a text. Raises ``yaml.YAMLError``.

    :param loader: :data:`SafeLoader` or one derived from it.
    """
    depth = 0
    for event in yaml.parse(text, SafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise yaml.MarkedYAMLError(problem="层次太深", problem_mark=event.start_mark)  # type: ignore[arg-type]  # libyaml's own kind of mark
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.load(text, loader)  # noqa: S506  # safe loaders only
