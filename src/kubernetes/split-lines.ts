/** A byte stream cut into its lines. */

/** A line longer than this is no watch event: etcd takes objects of 1.5 MiB, which JSON makes six times as long at most. */
const MAX_LINE_BYTES = 16 << 20;

/**
 * The lines of a stream as bytes, without their line feed; what follows the last one is left out, since only its line
 * feed says that it is whole. Cut at byte 0x0a and nowhere else: U+2028 is a line break to `readline` and legal inside
 * JSON. A character that is split between two chunks is whole again in its line.
 *
 * @throws an Error for a line beyond 16 MiB
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const last = chunk.subarray(start, end);
      yield begun.length === 0 ? last : Buffer.concat([...begun, last]);
      begun = [];
      begunBytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) begun.push(chunk.subarray(start));
    begunBytes += chunk.length - start;
    if (begunBytes > MAX_LINE_BYTES) throw new Error(`a line of more than ${String(MAX_LINE_BYTES)} bytes`);
  }
}
