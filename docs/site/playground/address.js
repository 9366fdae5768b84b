// The address of a network: #from=NAME of the spec that one started from, and where the text is
// not that spec's any more, &spec= the text by deflate in base64url.

const LONGEST = 8000; // characters; mail, chats and issues take so many
export const TOO_LONG = `This spec is too long for a link, which has at most ${LONGEST} characters;
  save it as a file.`;
const LARGEST = 1_000_000; // bytes of a spec that the compiler reads

/** What an address says, {start, text}, each maybe undefined; throws where it is broken. */
export async function read(fragment) {
  const said = new URLSearchParams(fragment.replace(/^#/, ""));
  const [start, packed] = [said.get("from"), said.get("spec")];
  return { start: start ?? undefined, text: packed === null ? undefined : await unpacked(packed) };
}

/** The fragment for a text; undefined where that is too long to be sent. */
export async function written(start, text, same) {
  const from = `#from=${encodeURIComponent(start).replaceAll("%2F", "/")}`;
  const fragment = same ? from : `${from}&spec=${await packed(text)}`;
  return fragment.length <= LONGEST ? fragment : undefined;
}

async function packed(text) {
  const bytes = await through(new CompressionStream("deflate-raw"), new Blob([text]));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(packed) {
  if (packed.length > LONGEST) throw new Error("it is too long");
  const binary = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const text = await through(new DecompressionStream("deflate-raw"), new Blob([bytes]));
  return new TextDecoder("utf-8", { fatal: true }).decode(text);
}

async function through(stream, blob) {
  const reader = blob.stream().pipeThrough(stream).getReader();
  const parts = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(parts).arrayBuffer());
    size += value.length;
    if (size > LARGEST) throw new Error("it unpacks to more than a spec may have");
    parts.push(value);
  }
}
