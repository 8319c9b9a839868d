"""Makes data classes of what the generated half only calls so: with fields that `dataclasses` knows, a `repr` that says what is in
them, and the field `value` where a variant has one without a name. Must not know what a record holds."""

from __future__ import annotations

import dataclasses
import inspect
from types import ModuleType
from typing import Any


def complete(module: ModuleType) -> None:
    """Completes every record and every variant that `module` offers."""
    for name in module.__all__:
        offered = getattr(module, name)
        for kind in (offered, *vars(offered).values()):
            if inspect.isclass(kind) and dataclasses.is_dataclass(kind):
                _complete(kind)


def _complete(kind: Any) -> None:
    parameters = inspect.signature(kind).parameters.values()
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        kind.__init__ = _with_a_value
        # Where the generated half looks for what it sends.
        kind._values = property(lambda variant: (variant.value,))
        parameters = inspect.signature(kind).parameters.values()
    kind.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    if "__repr__" in vars(kind):
        del kind.__repr__
    kind.__str__ = object.__str__
    by_name = all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters)
    dataclasses.dataclass(init=False, eq=False, kw_only=by_name)(kind)


def _with_a_value(self: Any, value: Any) -> None:
    self.value = value
