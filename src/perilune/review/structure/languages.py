"""The languages whose grammar is known, by the ending of a file's name, and what their definitions and calls are.

An allow-list: the parser ends the process's thread with a panic for a language that it does not have.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath

from msgspec import Struct


class Language(Struct, frozen=True, kw_only=True):
    """One grammar. Shape: `definitions` and `calls` are kinds of its nodes."""

    name: str
    endings: tuple[str, ...]
    definitions: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()


def _language(name: str, endings: str, definitions: str = "", calls: str = "") -> Language:
    return Language(
        name=name, endings=tuple(endings.split()), definitions=tuple(definitions.split()), calls=tuple(calls.split())
    )


_SCRIPT = "function_declaration generator_function_declaration class_declaration method_definition variable_declarator"
_TYPED = _SCRIPT + " interface_declaration type_alias_declaration enum_declaration abstract_class_declaration"
_C = "function_definition struct_specifier enum_specifier preproc_function_def"

LANGUAGES = (
    _language("python", "py pyi", "function_definition class_definition", "call"),
    _language("javascript", "js mjs cjs jsx", _SCRIPT, "call_expression new_expression"),
    _language("typescript", "ts mts cts", _TYPED, "call_expression new_expression"),
    _language("tsx", "tsx", _TYPED, "call_expression new_expression"),
    _language("go", "go", "function_declaration method_declaration type_spec", "call_expression"),
    _language(
        "java",
        "java",
        "class_declaration interface_declaration enum_declaration record_declaration method_declaration "
        "constructor_declaration",
        "method_invocation object_creation_expression",
    ),
    _language(
        "rust",
        "rs",
        "function_item struct_item enum_item trait_item impl_item mod_item macro_definition",
        "call_expression macro_invocation",
    ),
    _language("ruby", "rb rake", "method singleton_method class module", "call"),
    _language("c", "c h", _C, "call_expression"),
    _language(
        "cpp",
        "cc cpp cxx hh hpp hxx",
        _C + " class_specifier namespace_definition",
        "call_expression",
    ),
    _language(
        "csharp",
        "cs",
        "class_declaration struct_declaration interface_declaration enum_declaration record_declaration "
        "method_declaration constructor_declaration local_function_statement",
        "invocation_expression object_creation_expression",
    ),
    _language("kotlin", "kt kts", "class_declaration object_declaration function_declaration", "call_expression"),
    _language(
        "php",
        "php",
        "function_definition method_declaration class_declaration interface_declaration trait_declaration",
        "function_call_expression member_call_expression scoped_call_expression object_creation_expression",
    ),
    _language("swift", "swift", "class_declaration protocol_declaration function_declaration", "call_expression"),
    _language(
        "scala",
        "scala sc",
        "class_definition object_definition trait_definition function_definition",
        "call_expression",
    ),
    _language("lua", "lua", "function_declaration", "function_call"),
    _language("bash", "sh bash", "function_definition", "command"),
    _language("elixir", "ex exs", "", "call"),
    _language("haskell", "hs", "function"),
    _language(
        "solidity",
        "sol",
        "contract_declaration interface_declaration function_definition modifier_definition",
        "call_expression",
    ),
    _language("dart", "dart", "class_declaration method_declaration function_declaration", "call_expression"),
    _language("zig", "zig", "function_declaration", "call_expression"),
    _language("json", "json"),
    _language("yaml", "yaml yml"),
    _language("html", "html htm"),
    _language("css", "css"),
    _language("nix", "nix"),
    _language("hcl", "hcl tf tfvars"),
)

_BY_ENDING: Mapping[str, Language] = {ending: language for language in LANGUAGES for ending in language.endings}


def language_of(path: str) -> Language | None:
    """The language of a file by its name, None where no grammar is known for it."""
    return _BY_ENDING.get(PurePosixPath(path).suffix.lower().removeprefix("."))
