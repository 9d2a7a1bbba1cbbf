/** Data of a Pub/Sub message as text, and what its attributes say of it. */
interface Data {
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** `base64` where the data of a message was no text: then its bytes stand in the data in base64. */
export const ENCODING_ATTRIBUTE = 'mailgrantEncoding';

/** The bytes of a message as its data and attributes: text as it is, anything else in base64, which an attribute says. */
export function dataOf(bytes: Buffer): Data {
  return isUtf8(bytes)
    ? { data: bytes.toString('utf8'), attributes: {} }
    : { data: bytes.toString('base64'), attributes: { [ENCODING_ATTRIBUTE]: 'base64' } };
}

/** The bytes that the data of a message stands for. */
export const bytesOf = ({ data, attributes }: Data): Buffer =>
  Buffer.from(data, attributes[ENCODING_ATTRIBUTE] === 'base64' ? 'base64' : 'utf8');

function isUtf8(bytes: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
