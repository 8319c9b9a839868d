"""Writes what a type checker sees of the package, `src/wanhu/__init__.pyi`, from the generated half and the facade over it: the
generated half makes its errors and variants by tricks that no checker follows. Reads source text and runs none of it.

    python3 stub.py FOLDER_OF_THE_GENERATED_HALF > src/wanhu/__init__.pyi
"""

from __future__ import annotations

import ast
import pathlib
import sys
from typing import Iterator

FACADE = pathlib.Path(__file__).parent / "src" / "wanhu" / "__init__.py"
HEAD = '''\
"""What a type checker sees of the package. Written by `cargo xtask bindings --bless` from the generated half and the facade."""

import abc
import builtins
import dataclasses
import enum
import os
import typing
from typing_extensions import Self

__version__: str
'''
# What the generated half reads from the library, by the last word of its converter's name.
READ = {"Boolean": "bool", "Bytes": "bytes", "String": "str", "Float64": "float"}
READ.update({f"{sign}{bits}": "int" for sign in ("Int", "UInt") for bits in (8, 16, 32, 64)})
CONVERTER = "_UniffiFfiConverter"


class Types(ast.NodeTransformer):
    """An annotation as it reads outside of the generated half."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        is_module = isinstance(node.value, ast.Name) and node.value.id in ("wanhu_core", "_core", "_ledger")
        return ast.Name(node.attr) if is_module else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        # How the generated half says that a default is made at the call.
        is_default = ast.unparse(node).startswith("typing.Union[object, ")
        return node.slice.elts[1] if is_default else node


def kind(node: ast.expr) -> str:
    return ast.unparse(Types().visit(node))


def named(body: list[ast.stmt], of: type) -> dict[str, ast.stmt]:
    """What is defined, the last of a name; the generated half defines some twice."""
    return {node.name: node for node in body if isinstance(node, of)}


def said(node: ast.AST, indent: str) -> Iterator[str]:
    text = ast.get_docstring(node)
    if text:
        lines = [line and indent + line for line in text.splitlines()]
        yield f'{indent}"""{text}"""' if len(lines) == 1 else "\n".join([f'{indent}"""', *lines, f'{indent}"""'])


def signature(call: ast.FunctionDef | ast.AsyncFunctionDef, within: str) -> str:
    own = call.args
    places = own.posonlyargs + own.args
    defaults = [None] * (len(places) - len(own.defaults)) + own.defaults
    words = [parameter(each, default) for each, default in zip(places, defaults)]
    if own.vararg:
        words.append("*" + parameter(own.vararg, None))
    elif own.kwonlyargs:
        words.append("*")
    words += [parameter(each, default) for each, default in zip(own.kwonlyargs, own.kw_defaults)]
    begin = "async def" if isinstance(call, ast.AsyncFunctionDef) else "def"
    answer = kind(call.returns) if call.returns else "None"
    # Of a class derived from this one it is that.
    answer = "Self" if answer == within else answer
    return f"{begin} {call.name}({', '.join(words)}) -> {answer}:"


def parameter(own: ast.arg, default: ast.expr | None) -> str:
    word = f"{own.arg}: {kind(own.annotation)}" if own.annotation else own.arg
    if default is None:
        return word
    return f"{word} = {ast.unparse(default) if isinstance(default, ast.Constant) else '...'}"


def call(node: ast.FunctionDef | ast.AsyncFunctionDef, indent: str, within: str = "") -> Iterator[str]:
    for mark in node.decorator_list:
        if ast.unparse(mark) in ("classmethod", "staticmethod"):
            yield f"{indent}@{ast.unparse(mark)}"
    text = [*said(node, indent + "    ")]
    yield indent + signature(node, within) + ("" if text else " ...")
    yield from text


def enumeration(node: ast.ClassDef) -> Iterator[str]:
    yield f"class {node.name}(enum.Enum):"
    yield from said(node, "    ")
    for line in node.body[1:]:
        yield from ("    " + part for part in told(line))


def told(line: ast.stmt) -> list[str]:
    """A member, or what is said about it in the line behind it."""
    if isinstance(line, ast.Expr):
        words = ast.literal_eval(line.value).strip().splitlines()
        return ['"""' + "\n    ".join(word.strip() for word in words) + '"""']
    return [ast.unparse(line)]


def record(node: ast.ClassDef) -> Iterator[str]:
    made = named(node.body, ast.FunctionDef)["__init__"]
    yield "@dataclasses.dataclass(kw_only=True)"
    yield f"class {node.name}:"
    yield from said(node, "    ")
    for own, default in zip(made.args.kwonlyargs, made.args.kw_defaults):
        yield "    " + parameter(own, default)


def variants(node: ast.ClassDef, converter: ast.ClassDef) -> Iterator[str]:
    """Errors and choices: a class, and in it one for each variant."""
    base = "(Exception)" if any("Temp" in ast.unparse(line) for line in node.body) else ""
    yield f"class {node.name}{base}:"
    yield from said(node, "    ")
    read = kinds_read(converter)
    for name, variant in named(node.body, ast.ClassDef).items():
        made = named(variant.body, ast.FunctionDef)["__init__"]
        fields = ["value"] if made.args.vararg else [own.arg for own in made.args.args[1:]]
        if not base:
            yield "    @dataclasses.dataclass"
        yield f"    class {name}({node.name}):"
        text = [*said(variant, "        ")]
        yield from text
        # A field that has a type's name would hide the type.
        typed = [f"{field}: {'builtins.' if field == read_kind else ''}{read_kind}" for field, read_kind in zip(fields, read[name], strict=True)]
        yield from (f"        {field}" for field in typed)
        if base:
            yield f"        def __init__({', '.join(['self', *typed])}) -> None: ..."
        elif not (typed or text):
            yield "        ..."


def kinds_read(converter: ast.ClassDef) -> dict[str, list[str]]:
    """The types of each variant's fields, in their order, as the generated half reads them."""
    read = {}
    for line in ast.walk(named(converter.body, ast.FunctionDef)["read"]):
        if isinstance(line, ast.Return):
            parts = [ast.unparse(part.func.value) for part in line.value.args]
            read[line.value.func.attr] = [kind_read(part.rpartition(CONVERTER)[2]) for part in parts]
    return read


def kind_read(converter: str) -> str:
    for begin, outer in (("Optional", "typing.Optional"), ("Sequence", "typing.List")):
        if converter.startswith(begin):
            return f"{outer}[{kind_read(converter.removeprefix(begin))}]"
    return converter.removeprefix("Type") if converter.startswith("Type") else READ[converter]


def object_of_calls(node: ast.ClassDef, over: ast.ClassDef | None, is_apps: bool) -> Iterator[str]:
    """An object of the library's, with what the facade says otherwise or besides; or one that the app makes, whole."""
    asked = (ast.FunctionDef, ast.AsyncFunctionDef)
    calls = {line.name: line for line in node.body if isinstance(line, asked)}
    calls |= {line.name: line for line in (over.body if over else []) if isinstance(line, asked)}
    yield f"class {node.name}(abc.ABC):" if is_apps else f"class {node.name}:"
    yield from said(over or node, "    ")
    shown = [own for name, own in calls.items() if name in ("__init__", "__enter__", "__exit__") or not name.startswith("_")]
    if over:
        # Books are made by `open`.
        shown = [own for own in shown if own.name != "__init__"]
    for own in shown:
        yield from ("    @abc.abstractmethod" for _ in [0] if is_apps)
        yield from call(own, "    ", node.name)


def assigned(body: list[ast.stmt], name: str) -> tuple[str, ...]:
    """The names in a list that a module keeps under this name."""
    lines = [line for line in body if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == name]
    return tuple(ast.literal_eval(lines[0].value))


def stub(generated: pathlib.Path) -> Iterator[str]:
    facade = ast.parse(FACADE.read_text(encoding="utf-8"))
    over, calls_over = named(facade.body, ast.ClassDef), named(facade.body, ast.FunctionDef)
    for file in ("wanhu_core.py", "wanhu.py"):
        body = ast.parse((generated / file).read_text(encoding="utf-8")).body
        classes, calls = named(body, ast.ClassDef), named(body, ast.FunctionDef)
        for line in body:
            if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) in assigned(facade.body, "_TEXTS"):
                yield f"{line.targets[0].id}: typing.TypeAlias = {ast.unparse(line.value)}"
        for name in assigned(body, "__all__"):
            if name.endswith(assigned(facade.body, "_OWN")):
                continue
            yield ""
            if name in calls:
                yield from call(calls_over.get(name, calls[name]), "")
                continue
            node = classes[name]
            if any(ast.unparse(base) == "enum.Enum" for base in node.bases):
                yield from enumeration(node)
            elif named(node.body, ast.ClassDef):
                yield from variants(node, classes[f"{CONVERTER}Type{name}"])
            elif node.decorator_list:
                yield from record(node)
            else:
                yield from object_of_calls(node, over.get(name), f"{name}Impl" in classes)


if __name__ == "__main__":
    print(HEAD)
    print("\n".join(stub(pathlib.Path(sys.argv[1]))))
