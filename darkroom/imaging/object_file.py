"""Code that can be loaded anywhere, from object files: what a linker does, for one kind of them.

The kind is what LLVM writes for x86-64 in its large code model: ELF, in which every address is one
of 8 bytes (System V ABI, AMD64 supplement, chapter 4), so that its place and what it points to are
all there is to know of it.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple

# Names in the ABI: EM_X86_64, SHT_SYMTAB, SHT_RELA, SHF_WRITE, SHF_ALLOC, STT_FUNC, R_X86_64_64.
_X86_64, _SYMBOLS, _RELOCATIONS, _WRITABLE, _LOADED, _FUNCTION, _ADDRESS = 62, 2, 4, 1, 2, 2, 1
_UNWINDING = ".eh_frame"  # for exceptions of C++ and for debuggers


class CannotLink(ValueError):
    """An object file holds what only a real linker understands."""


class Linked(NamedTuple):
    """Code with its constants, in one piece; places, targets and functions are offsets in it."""

    code: bytes
    functions: dict[str, int]
    inner: list[tuple[int, int]]  # place of an address, target
    outer: list[tuple[int, str]]  # place of an address, name of the function elsewhere


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


class _Symbol(NamedTuple):
    name: int
    info: int
    other: int
    section: int
    value: int
    size: int


class _Relocation(NamedTuple):
    place: int
    kind: int
    symbol: int
    addend: int


class _ObjectFile:
    """The tables of one; a section is known by its number."""

    def __init__(self, content: bytes) -> None:
        if content[:4] != b"\x7fELF" or struct.unpack_from("<H", content, 18) != (_X86_64,):
            raise CannotLink("not an object file for x86-64")
        self._content = content
        (start,) = struct.unpack_from("<Q", content, 40)
        size, count, names = struct.unpack_from("<3H", content, 58)
        table = struct.iter_unpack("<2I4Q2I2Q", content[start : start + size * count])
        self.sections = [_Section(*row) for row in table]
        self._names = self.sections[names]
        (symbols,) = (section for section in self.sections if section.kind == _SYMBOLS)
        self._symbol_names = self.sections[symbols.link]
        rows = struct.iter_unpack("<I2BH2Q", self.bytes_of(symbols))
        self.symbols = [_Symbol(*row) for row in rows]

    def bytes_of(self, section: _Section) -> bytes:
        return self._content[section.offset : section.offset + section.size]

    def section_name(self, section: _Section) -> str:
        return self._text(self._names, section.name)

    def symbol_name(self, symbol: _Symbol) -> str:
        return self._text(self._symbol_names, symbol.name)

    def relocations(self, section: _Section) -> list[_Relocation]:
        rows = struct.iter_unpack("<Q2Iq", self.bytes_of(section))
        return [_Relocation(place, kind, symbol, addend) for place, kind, symbol, addend in rows]

    def _text(self, names: _Section, at: int) -> str:
        return self.bytes_of(names)[at:].partition(b"\0")[0].decode()


def link(objects: Iterable[bytes]) -> Linked:
    """Lay object files one behind the other, and find all addresses in them.

    Raises:
        CannotLink: one is for another processor, has variables, or addresses of another kind.
    """
    code, functions = bytearray(), dict[str, int]()
    inner, wanted = list[tuple[int, int]](), list[tuple[int, str]]()
    for content in objects:
        file = _ObjectFile(content)
        starts = _lay_out(file, code)
        for symbol in file.symbols:
            if symbol.info & 15 == _FUNCTION and symbol.section in starts:
                functions[file.symbol_name(symbol)] = starts[symbol.section] + symbol.value
        for section in file.sections:
            if section.kind != _RELOCATIONS or section.info not in starts:
                continue
            for place, kind, number, addend in file.relocations(section):
                symbol, place = file.symbols[number], starts[section.info] + place
                if kind == _ADDRESS and symbol.section in starts:
                    inner.append((place, starts[symbol.section] + symbol.value + addend))
                elif kind == _ADDRESS and symbol.section == addend == 0:
                    wanted.append((place, file.symbol_name(symbol)))
                else:
                    raise CannotLink(f"{file.symbol_name(symbol)}: relocation of kind {kind}")
    inner += [(place, functions[name]) for place, name in wanted if name in functions]
    outer = [(place, name) for place, name in wanted if name not in functions]
    return Linked(bytes(code), functions, inner, outer)


def _lay_out(file: _ObjectFile, code: bytearray) -> dict[int, int]:
    """Add what is to be loaded to `code`; where each section begins there, by its number."""
    starts = {}
    for number, section in enumerate(file.sections):
        if not section.flags & _LOADED or file.section_name(section) == _UNWINDING:
            continue
        if section.flags & _WRITABLE:
            raise CannotLink(f"variables, in {file.section_name(section)}")
        code.extend(bytes(-len(code) % section.align))
        starts[number] = len(code)
        code.extend(file.bytes_of(section))
    return starts
