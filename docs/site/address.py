"""The address of a spec in the playground, for pages that link there."""

import zlib
from base64 import urlsafe_b64encode
from urllib.parse import quote


def fragment(start: str, text: str | None = None) -> str:
    """`#from=resnet50` of a spec that ships, with `&spec=` of a text that was made from it.

    The text is packed by deflate, without a header, in base64url without its padding.
    """
    found = f"#from={quote(start)}"
    if text is None:
        return found
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = deflate.compress(text.encode()) + deflate.flush()
    return f"{found}&spec={urlsafe_b64encode(packed).decode().rstrip('=')}"
