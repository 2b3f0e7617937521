"""What a declared message is made of, whatever the protocol.

A message is a frozen keyword-only dataclass. Each field's annotation carries a wire type that
says how the value lies on the wire::

    class OffHook(StationMessage, id=0x0006):
        line_instance: Annotated[int, U32] = 0
        call_reference: Annotated[int, U32] = 0

Fields without a default must be given by whoever makes a message. Whether a frame that ends before
them is an error is a matter of the layout; a missing optional tail takes the defaults.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Callable
from typing import Any, ClassVar, Self, cast, dataclass_transform, get_type_hints

from pa_telephony.wire.generated import make_function

__all__ = [
    "Field",
    "Message",
    "OpenIntEnum",
    "OpenIntFlag",
    "Struct",
    "UnknownMessage",
    "blank_of",
    "fields_of",
]


class OpenIntEnum(enum.IntEnum):
    """An :class:`enum.IntEnum` that takes any number: an unknown one becomes ``UNKNOWN_n``."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        # Not added to the enumeration: a peer must not be able to make our tables grow.
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member


class OpenIntFlag(enum.IntFlag, boundary=enum.KEEP):
    """An :class:`enum.IntFlag` that takes any number: bits without a name are kept."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        if not isinstance(value, int):
            raise ValueError(f"{value!r} is no number")
        return cast("Self", _flags(cls, value))


@functools.lru_cache(maxsize=1000)
def _flags(kind: type[OpenIntFlag], value: int) -> OpenIntFlag:
    """Flags that have no name as a whole; phones of one kind all announce the same."""
    member = int.__new__(kind, value)
    named = [bit.name or "" for bit in kind if int(bit) & value]
    # Not added to the flags: a peer must not be able to make our tables grow.
    member._name_ = "|".join(named) or None
    member._value_ = value
    return member


class _Declaring(type):
    """Makes a slotted dataclass of each declaration, then tells it what its class statement said.

    Slots cost half of what a dictionary does where values are read, and less where they are set
    (measured). They cannot be added to a class: :func:`dataclasses.dataclass` makes it anew, by
    way of this metaclass. A class that names its slots itself, because it has no fields, is left.
    """

    def __new__(
        mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **attributes: Any
    ) -> Any:
        made: Any = super().__new__(mcs, name, bases, namespace)
        if "__slots__" not in namespace:
            made = dataclasses.dataclass(frozen=True, kw_only=True, init=False, slots=True)(made)
            made.__init__ = _initializer(made)
            made._declared(**attributes)
        return made

    def __init__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **_: Any
    ) -> None:
        super().__init__(name, bases, namespace)


@dataclass_transform(frozen_default=True, kw_only_default=True)
@dataclasses.dataclass(frozen=True, kw_only=True)
class Struct(metaclass=_Declaring):
    """Base of everything declared: each subclass becomes a frozen keyword-only dataclass."""

    __slots__ = ()

    @classmethod
    def _declared(cls) -> None:
        """Called once the class is made; subclasses take the arguments of their class statement."""


@functools.cache
def blank_of(declaration: type[Struct]) -> type[Any]:
    """A class whose instances can be changed, and become the declared one's by ``__class__``.

    This takes two thirds of the time that any way around a frozen ``__setattr__`` takes (measured).
    """
    namespace = {
        "__slots__": declaration.__slots__,
        "__init__": object.__init__,
        "__setattr__": object.__setattr__,
        "__delattr__": object.__delattr__,
    }
    return type(declaration.__name__, declaration.__bases__, namespace)


def _initializer(cls: type[Struct]) -> Callable[..., None]:
    """The ``__init__`` that dataclasses would make, but four times as fast.

    Theirs calls ``object.__setattr__`` for every field of a frozen class, which costs more than
    the encoding of the message (measured).
    """
    names: dict[str, Any] = {
        "_become": object.__dict__["__class__"].__set__,
        "_blank": blank_of(cls),
        "_declaration": cls,
    }
    arguments: list[str] = []
    for field in dataclasses.fields(cls):
        if field.default is dataclasses.MISSING:
            arguments.append(field.name)
        else:
            names[f"_{field.name}"] = field.default
            arguments.append(f"{field.name}=_{field.name}")
    head = ", ".join(["self", *(["*", *arguments] if arguments else [])])
    lines = [f"def made({head}):", " _become(self, _blank)"]
    lines += [f" self.{field.name} = {field.name}" for field in dataclasses.fields(cls)]
    source = "\n".join([*lines, " self.__class__ = _declaration"])
    made: Callable[..., None] = make_function(f"make {cls.__name__}", source, names)
    made.__name__, made.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
    return made


class Message(Struct):
    """Base of all messages. ``id`` files the class in the ``registry`` of its protocol.

    ``trailing`` holds bytes that a peer sent behind the last field that we know.
    """

    id: ClassVar[int] = -1
    registry: ClassVar[dict[int, type[Message]]]

    trailing: bytes = dataclasses.field(default=b"", compare=False, repr=False)

    @classmethod
    def _declared(cls, *, id: int | None = None) -> None:
        if id is not None:
            if id in cls.registry:
                raise TypeError(f"{cls.__name__} and {cls.registry[id].__name__} are both {id:#x}")
            cls.id = id
            cls.registry[id] = cls


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class UnknownMessage:
    """A message whose number has no declaration; it is kept, not refused."""

    id: int
    body: bytes = b""


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One field of a declaration: its name, its wire type, its Python type, its default."""

    name: str
    type: Any
    python_type: Any
    default: Any

    @property
    def required(self) -> bool:
        """Whether whoever makes the message must give this field."""
        return self.default is dataclasses.MISSING


_fields: dict[type[Struct], tuple[Field, ...]] = {}


def fields_of(declaration: type[Struct]) -> tuple[Field, ...]:
    """The wire fields of a declared class, in wire order (``trailing`` left out)."""
    known = _fields.get(declaration)
    if known is not None:
        return known
    hints = get_type_hints(declaration, include_extras=True)
    found: list[Field] = []
    for field in dataclasses.fields(declaration):
        if field.name == "trailing":
            continue
        hint = hints[field.name]
        metadata = getattr(hint, "__metadata__", ())
        if not metadata:
            raise TypeError(f"{declaration.__name__}.{field.name} has no wire type")
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        found.append(Field(field.name, metadata[0], hint.__origin__, default))
    _fields[declaration] = tuple(found)
    return _fields[declaration]
