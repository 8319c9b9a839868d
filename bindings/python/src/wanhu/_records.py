"""Makes whole what the generated half leaves half done. Records and variants become data classes: with fields that `dataclasses`
knows, a `repr` that says what is in them, and the field `value` where a variant has one without a name. Errors can be pickled, as an
error must that crosses processes; objects of the library cannot. Must not know what a record holds."""

from __future__ import annotations

import dataclasses
import inspect
from types import ModuleType
from typing import Any


def complete(module: ModuleType) -> None:
    """Completes everything that `module` offers."""
    for name in module.__all__:
        offered = getattr(module, name)
        for kind in (offered, *vars(offered).values()):
            if not inspect.isclass(kind):
                continue
            if dataclasses.is_dataclass(kind):
                _complete(kind)
            elif issubclass(kind, Exception) and kind is not offered:
                _complete_error(kind)
            elif "_handle" in getattr(kind, "__annotations__", {}):
                setattr(kind, "__reduce__", _is_one)


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


def _complete_error(kind: Any) -> None:
    names = tuple(inspect.signature(kind).parameters)
    setattr(kind, "__match_args__", names)
    # What `Exception` hands over is the text, of which nothing can be made again.
    kind.__reduce__ = lambda error: (kind, tuple(getattr(error, name) for name in names))


def _is_one(self: Any) -> Any:
    # A second one would be the same place in the library's memory, given back twice.
    raise TypeError(f"cannot copy or pickle a {type(self).__name__}")


def _with_a_value(self: Any, value: Any) -> None:
    self.value = value
