"""How photos lie in memory that the gateway shares with model servers on the same machine.

    <shared folder>/<gateway>/<request>/<photo>             the file, as it would travel otherwise
                                       /<photo>.pixels      the same decoded: upright sRGB, 8 bits,
                                                            rows of width × 3 bytes, nothing else
                                       /<photo>.thumbnail   as `defects` has seen it
                                       /<photo>.spare       a file of that size for the pixels

A request names its photo instead of carrying it, and so may the reply. The gateway makes a folder
for each request and removes it with all that has come to lie there: who is too late finds none.
A file that held pixels is used again, since half of the time to write one goes into new memory.
Whoever writes first gives it a name of its own, so that there is never a second writer.
"""

import secrets
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

FOLDER_VARIABLE = "DARKROOM_SHARED_FOLDER"  # of the gateway's environment and the model servers'

PIXELS, THUMBNAIL, SPARE = ".pixels", ".thumbnail", ".spare"

# Nothing but what is made below: names come in headers, and become paths.
_NAME = r"^[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{8}$"


class Shared(BaseModel, frozen=True):
    """A photo in shared memory (header `X-Darkroom-Shared`).

    In a request: the photo asked about, and whether the model server may leave pixels for those who
    come after it. In a reply, always, where the request's photo was found: the answer, or the
    request's own name where the answer is in the body or there is none.
    """

    name: Annotated[str, Field(pattern=_NAME)]
    pixels: bool = False

    def file(self, folder: Path, kind: str = "") -> Path:
        """The photo's file, or what lies beside it under the same name: `PIXELS` and so on."""
        return folder / f"{self.name}{kind}"

    def another(self) -> "Shared":
        """A name for another photo of the same request."""
        request = self.name.rpartition("/")[0]
        return self.model_copy(update={"name": f"{request}/{secrets.token_hex(4)}"})


def new_request(gateway: str, *, pixels: bool) -> Shared:
    """A name for the first photo of a new request; `gateway` is 16 hexadecimal digits."""
    return Shared(name=f"{gateway}/{secrets.token_hex(8)}/{secrets.token_hex(4)}", pixels=pixels)
