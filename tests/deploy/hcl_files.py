"""The modules as data, read without Terraform: which blocks they have and what is in them."""

import functools
import re
from dataclasses import dataclass

import hcl2

from tests.deploy.terraform_runs import MODULES


@dataclass(frozen=True)
class Block:
    """kind: resource, data, variable, output. type: of a resource or data source; else empty."""

    kind: str
    type: str
    name: str
    body: dict

    def __str__(self):
        return ".".join(part for part in (self.kind, self.type, self.name) if part)


def text(cloud):
    """All files of a module, without its comments."""
    lines = "\n".join(file.read_text("utf-8") for file in sorted((MODULES / cloud).glob("*.tf")))
    return re.sub(r"(?m)(^|\s)#.*$", "", lines)


@functools.cache
def blocks(cloud):
    """Every resource, data source, variable and output of a module."""
    found = []
    for file in sorted((MODULES / cloud).glob("*.tf")):
        with file.open(encoding="utf-8") as opened:
            parsed = hcl2.load(opened)
        for kind in ("resource", "data"):
            for one in parsed.get(kind, []):
                for type_, named in _labels(one):
                    found += [Block(kind, type_, name, body) for name, body in _labels(named)]
        for kind in ("variable", "output"):
            for one in parsed.get(kind, []):
                found += [Block(kind, "", name, body) for name, body in _labels(one)]
    return found


def _labels(parsed):
    return [(key.strip('"'), value) for key, value in parsed.items() if not key.startswith("__")]
