"""Compile the kernels of a module: `python -m darkroom.imaging.kernel_compiler MODULE FILE`.

The one place where numba is. `kernels` starts it in a process of its own, so that whoever runs the
kernels has neither numba's memory nor the seconds that it takes. The code is numba's own, as it
would run itself; all that it needs of numba's runtime then is memory for arrays, `_RUNTIME`.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType, MappingProxyType
from typing import Any

import llvmlite.binding as llvm
from numba import njit, types
from numba.core.registry import cpu_target
from numba.np.numpy_support import as_dtype

from darkroom.imaging.kernels import Kernel, options_of_part
from darkroom.imaging.machine_code import Contents, Entry, Parameter, save
from darkroom.imaging.object_file import link

# An array's memory begins with a count of its owners and has, at byte 24, the address of its items
# (`MemInfo` in numba's nrt.cpp). No kernel hands an array out, so nobody else frees it.
_RUNTIME = """
declare ptr @aligned_alloc(i64, i64)
declare void @free(ptr)

define ptr @NRT_MemInfo_alloc_aligned(i64 %bytes, i32 %alignment) {
  %all = add i64 %bytes, 64
  %memory = call ptr @aligned_alloc(i64 64, i64 %all)
  %failed = icmp eq ptr %memory, null
  br i1 %failed, label %end, label %fill
fill:
  store i64 1, ptr %memory
  %field = getelementptr i8, ptr %memory, i64 24
  %items = getelementptr i8, ptr %memory, i64 64
  store ptr %items, ptr %field
  br label %end
end:
  ret ptr %memory
}

define void @NRT_MemInfo_call_dtor(ptr %memory) {
  call void @free(ptr %memory)
  ret void
}
"""
# Not to be called from Python, which takes more of numba than memory.
_CODE_ALONE = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def main() -> None:
    module, file = sys.argv[1:]
    write_machine_code(numba_kernels(module, _CODE_ALONE), Path(file))


def numba_kernels(module: str, options: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """The kernels of a module by name, as functions of numba, compiled with further options."""
    names = vars(importlib.import_module(module)).copy()

    def here(function: Callable[..., Any]) -> FunctionType:
        """Where parts are numba's; in the module itself they remain Python's."""
        return FunctionType(function.__code__, names, function.__name__)

    for name, value in [*names.items()]:
        if (own := options_of_part(value)) is not None:
            names[name] = njit(**own)(here(value))
    return {
        name: njit(each.signature, nogil=True, fastmath=each.fastmath, **options)(
            here(each.function)
        )
        for name, each in names.items()
        if isinstance(each, Kernel) and each.function.__module__ == module
    }


def write_machine_code(kernels: dict[str, Any], file: Path) -> None:
    """Put the code of numba's functions, made for this processor, into a file for `machine_code`.

    Raises:
        CannotLink: it is of another kind than can be loaded.
    """
    compiled = {name: next(iter(kernel.overloads.values())) for name, kernel in kernels.items()}
    objects = [each.library.serialize_using_object_code()[2][0] for each in compiled.values()]
    code, functions, inner, outer = link([*objects, _runtime()])
    entries = {}
    for name, each in compiled.items():
        parameters = [_parameter(kind) for kind in each.signature.args]
        returned = each.signature.return_type
        result = None if returned == types.void else as_dtype(returned).str
        entries[name] = Entry(functions[each.fndesc.llvm_func_name], parameters, result)
    save(file, Contents(entries, inner, outer), code)


def _runtime() -> bytes:
    triple, processor, features = cpu_target.target_context.codegen().magic_tuple()
    target = llvm.Target.from_triple(triple)
    machine = target.create_target_machine(processor, features, reloc="static", codemodel="large")
    return bytes(machine.emit_object(llvm.parse_assembly(_RUNTIME)))


def _parameter(kind: types.Type) -> Parameter:
    if isinstance(kind, types.Array):
        return Parameter(as_dtype(kind.dtype).str, kind.ndim, kind.layout == "C", kind.mutable)
    return Parameter(as_dtype(kind).str)


if __name__ == "__main__":
    main()
