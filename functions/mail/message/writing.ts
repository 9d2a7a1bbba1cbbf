import { Encoder } from 'nodemailer/lib/qp';
import { compile, type Node, type Options } from './tree.ts';

/** A part of the letter: bytes as they go out, or bytes that go out as base64. */
type Piece = Uint8Array | { readonly base64: Uint8Array };

/**
 * The mail's bytes, exactly as nodemailer's own `build()` gives them: the tree and its headers are nodemailer's, only the writing
 * is ours, since its streams cost more than all else in a small mail, and hold a large one several times over.
 */
export function write(options: Options, keepBcc: boolean): Uint8Array {
  const root = compile(options);
  root.keepBcc = keepBcc;
  const pieces = piecesOf(root);
  const last = pieces.at(-1);
  const end = last instanceof Uint8Array ? last.at(-1) : undefined;
  if (end !== LF) pieces.push(Buffer.from(end === CR ? '\n' : '\r\n'));
  return join(pieces);
}

const CR = 0x0d;
const LF = 0x0a;

function piecesOf(node: Node): Piece[] {
  const pieces: Piece[] = [Buffer.from(`${node.buildHeaders()}\r\n\r\n`), ...contentOf(node)];
  if (!node.multipart) return pieces;
  node.childNodes.forEach((child, index) => {
    pieces.push(Buffer.from(`${index > 0 ? '\r\n' : ''}--${node.boundary}\r\n`), ...piecesOf(child));
  });
  pieces.push(Buffer.from(`\r\n--${node.boundary}--\r\n`));
  return pieces;
}

function contentOf(node: Node): Piece[] {
  const { content } = node;
  if (!content) return [];
  if (typeof content !== 'string' && !(content instanceof Uint8Array)) throw new Error('a mail holds texts and bytes only');
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const encoding = node.getTransferEncoding();
  if (encoding === 'base64') return [{ base64: bytes }];
  return encoding === 'quoted-printable' ? quotedPrintable(bytes, !/^text\//i.test(node.contentType ?? '')) : [bytes];
}

/** nodemailer's encoder, given all at once and asked without a stream around it. */
function quotedPrintable(bytes: Uint8Array, binary: boolean): Piece[] {
  const pieces: Piece[] = [];
  const encoder = new Encoder({ binary });
  encoder.push = (line: string | Uint8Array) => pieces.push(typeof line === 'string' ? Buffer.from(line, 'latin1') : line) > 0;
  encoder._transform(bytes, 'buffer' as BufferEncoding, () => {});
  encoder._flush(() => {});
  return pieces;
}

const LINE = 76;
const LINE_BYTES = 57;
const SLICE_BYTES = LINE_BYTES * 512;

const sizeOf = (piece: Piece): number => (piece instanceof Uint8Array ? piece.length : lengthInBase64(piece.base64.length));

/** With a line break between lines and none after the last. */
function lengthInBase64(bytes: number): number {
  const characters = Math.ceil(bytes / 3) * 4;
  return characters + 2 * Math.max(0, Math.ceil(characters / LINE) - 1);
}

/** One buffer of the right size from the beginning: a large file is there twice, as it came and as it goes, and no more. */
function join(pieces: readonly Piece[]): Uint8Array {
  const whole = Buffer.allocUnsafe(pieces.reduce((sum, piece) => sum + sizeOf(piece), 0));
  let at = 0;
  for (const piece of pieces) {
    if (piece instanceof Uint8Array) whole.set(piece, at);
    else writeBase64(piece.base64, whole, at);
    at += sizeOf(piece);
  }
  return whole;
}

/** Writes a slice at a time, then moves its lines apart, the last one first. */
function writeBase64(bytes: Uint8Array, to: Buffer, start: number): void {
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let read = 0, at = start; read < from.length; read += SLICE_BYTES) {
    if (read > 0) at += to.write('\r\n', at, 'latin1');
    const written = to.write(from.toString('base64', read, Math.min(read + SLICE_BYTES, from.length)), at, 'latin1');
    const lines = Math.ceil(written / LINE);
    for (let line = lines - 1; line > 0; line--) {
      const target = at + line * (LINE + 2);
      to.copyWithin(target, at + line * LINE, Math.min(at + (line + 1) * LINE, at + written));
      to[target - 2] = CR;
      to[target - 1] = LF;
    }
    at += written + 2 * (lines - 1);
  }
}
