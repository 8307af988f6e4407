import llvmlite.binding as llvm
import pytest

from darkroom.imaging.object_file import CannotLink, link

X86_64, AARCH64 = "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"
TWICE = "define i64 @twice(i64 %x) { %y = add i64 %x, %x ret i64 %y }"


def compiled(source: str, triple: str = X86_64, codemodel: str = "large") -> bytes:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(triple)
    machine = target.create_target_machine(reloc="static", codemodel=codemodel)
    return bytes(machine.emit_object(llvm.parse_assembly(f'target triple = "{triple}"\n{source}')))


def test_functions_of_several_files_find_each_other():
    """What one file wants and another has is an address in the code; the rest is elsewhere's."""
    calls = "declare i64 @twice(i64) declare double @exp(double) define i64 @four(i64 %x) {"
    calls += "%e = call double @exp(double 1.0) %y = call i64 @twice(i64 %x) ret i64 %y }"

    linked = link([compiled(calls), compiled(TWICE)])

    assert linked.functions.keys() == {"four", "twice"}
    assert [name for _, name in linked.outer] == ["exp"]
    assert linked.functions["twice"] in [target for _, target in linked.inner]
    assert all(place + 8 <= len(linked.code) for place, _ in linked.inner + linked.outer)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(compiled(TWICE, AARCH64), id="another processor"),
        pytest.param(compiled("@count = global i64 1"), id="a variable"),
        pytest.param(
            compiled(
                "declare void @f() define void @g() { call void @f() ret void }", X86_64, "small"
            ),
            id="a short address",
        ),
        pytest.param(b"text", id="text"),
    ],
)
def test_what_would_not_run_is_refused(content):
    """Rather than loaded and run."""
    with pytest.raises(CannotLink):
        link([content])
