/**
 * Many texts outside the JavaScript heap, in blocks of bytes. Fifty thousand objects as strings are 75 MB that pass
 * through the young generation and stay in the old one; here they are 75 blocks of which the collector knows nothing.
 */

/** Where a text is. Its owner makes it and keeps it; the arena fills it in, and moves it when its block has grown hollow. */
export interface Slot {
  block: Block | undefined;
  start: number;
  bytes: number;
}

export interface Block {
  readonly buffer: Buffer;
  used: number;
  /** Bytes of `used` that a slot still holds. */
  live: number;
  /** All slots that were ever filled from here. */
  readonly slots: Slot[];
}

const BLOCK_BYTES = 1 << 20;
/** A larger text gets a block of its own. */
const MAX_SHARED_BYTES = BLOCK_BYTES / 4;
/** A block of which less is live is given up, and what is live in it copied: a write costs some microseconds for it. */
const MIN_LIVE_SHARE = 3 / 4;

export class Arena {
  /** The block that is being filled. */
  #open = makeBlock(BLOCK_BYTES);

  /** Puts `text` into the slot, in place of what it held. */
  write(slot: Slot, text: string): void {
    const bytes = Buffer.byteLength(text);
    const block = this.#blockFor(bytes);
    // Only now: to find room may have moved what the slot holds.
    const { block: oldBlock, bytes: oldBytes } = slot;
    block.buffer.write(text, block.used);
    fill(slot, block, bytes);
    if (oldBlock !== undefined) this.#discard(oldBlock, oldBytes);
  }

  read({ block, start, bytes }: Slot): string {
    if (block === undefined) throw new Error("an empty slot was read");
    return block.buffer.toString("utf8", start, start + bytes);
  }

  free(slot: Slot): void {
    const { block, bytes } = slot;
    slot.block = undefined;
    if (block !== undefined) this.#discard(block, bytes);
  }

  #blockFor(bytes: number): Block {
    if (bytes > MAX_SHARED_BYTES) return makeBlock(bytes);
    if (this.#open.used + bytes > BLOCK_BYTES) {
      const full = this.#open;
      this.#open = makeBlock(BLOCK_BYTES);
      // What is copied leaves a quarter of the new block free: enough for any text that may share one.
      if (isHollow(full)) this.#evacuate(full);
    }
    return this.#open;
  }

  #discard(block: Block, bytes: number): void {
    block.live -= bytes;
    if (block !== this.#open && isHollow(block)) this.#evacuate(block);
  }

  /** Copies what is live elsewhere; nobody refers to the block any more then. */
  #evacuate(block: Block): void {
    for (const slot of block.slots) {
      if (slot.block !== block) continue;
      const target = this.#blockFor(slot.bytes);
      block.buffer.copy(target.buffer, target.used, slot.start, slot.start + slot.bytes);
      fill(slot, target, slot.bytes);
    }
  }
}

function makeBlock(bytes: number): Block {
  return { buffer: Buffer.allocUnsafeSlow(bytes), used: 0, live: 0, slots: [] };
}

function isHollow({ buffer, live }: Block): boolean {
  return live < buffer.length * MIN_LIVE_SHARE;
}

/** Hands the next bytes of the block to the slot. */
function fill(slot: Slot, block: Block, bytes: number): void {
  slot.block = block;
  slot.start = block.used;
  slot.bytes = bytes;
  block.used += bytes;
  block.live += bytes;
  block.slots.push(slot);
}
