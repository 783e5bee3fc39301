"""Translation catalogues (``.po``) in memory. The message ids of pages are Spanish."""

import io
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from inspect import ismodule
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

SOURCE_LANGUAGE = "es"
LANGUAGES = {"es": "Español", "en": "English"}
"""The languages that users can choose, each by its own name."""

FOLDER = "translations"
BUILT_IN = Path(__file__).parents[1] / FOLDER


def read_catalogues(language: str, folders: Sequence[Path]) -> NullTranslations:
    """Return the translations of one language. The first folder with a message wins; an unknown message stays as it is.

    A folder has ``<language>/LC_MESSAGES/messages.po``, or ``messages.mo`` if it was compiled.
    """
    found = [texts for folder in folders if (texts := _read(folder / language / "LC_MESSAGES", language)) is not None]
    first = found[0] if found else NullTranslations()
    for further in found[1:]:
        first.add_fallback(further)
    return first


def folders_of(plugins: Iterable[object]) -> tuple[Path, ...]:
    """Return the ``translations`` folders of our package and of the plugins' packages: ours first, of each the nearest one."""
    found = (_folder_of(plugin.__name__ if ismodule(plugin) else type(plugin).__module__) for plugin in plugins)
    return tuple(dict.fromkeys([BUILT_IN, *(folder for folder in found if folder is not None)]))


def _folder_of(name: str) -> Path | None:
    while name:
        package = sys.modules.get(name)
        for place in getattr(package, "__path__", ()):
            if (folder := Path(place, FOLDER)).is_dir():
                return folder
        name = name.rpartition(".")[0]
    return None


def _read(folder: Path, language: str) -> Translations | None:
    compiled = _compiled(folder, language)
    return None if compiled is None else Translations(io.BytesIO(compiled))


@cache
def _compiled(folder: Path, language: str) -> bytes | None:
    """Compile once for all applications of the process."""
    source, compiled = folder / "messages.po", folder / "messages.mo"
    if not source.is_file():
        return compiled.read_bytes() if compiled.is_file() else None
    made = io.BytesIO()
    with source.open("rb") as file:
        write_mo(made, read_po(file, locale=language))
    return made.getvalue()
