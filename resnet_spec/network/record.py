"""Frozen records with fields by annotation.

As dataclasses, but without the code that each of those compiles when it is imported: of forty
classes that was a tenth of a build.
"""

from __future__ import annotations

from inspect import get_annotations
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Any:
        return lambda kind: kind


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False)
class Record:
    """Fields are given by keyword; those with a value in the class have it by default."""

    fields: ClassVar[dict[str, None]] = {}  # by name, in order
    required: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = get_annotations(cls)
        for base in (base for base in cls.__bases__ if issubclass(base, Record)):
            cls.fields = base.fields | cls.fields
            cls.required = base.required | cls.required
        cls.fields = cls.fields | dict.fromkeys(own)
        cls.required = cls.required | {name for name in own if name not in vars(cls)}

    def __init__(self, **values: Any) -> None:
        given = values.keys()
        if not (self.required <= given <= self.fields.keys()):
            known = ", ".join(self.fields)
            raise TypeError(
                f"{type(self).__name__} has {known}; got {', '.join(given)}"
            )
        vars(self).update(values)
        self.__post_init__()

    def __post_init__(self) -> None:
        """Hook for what must hold between fields."""

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: {name}")

    def values(self) -> dict[str, Any]:
        """What each field holds."""
        return {name: getattr(self, name) for name in self.fields}

    def replace(self, **changes: Any) -> Self:
        """The same with other values."""
        return type(self)(**self.values() | changes)
