/** Data of a Pub/Sub message as text, and its attributes. */
interface Data {
  readonly data: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** `base64` where the data of a message is not text: then the data holds its bytes in base64. */
export const ENCODING_ATTRIBUTE = 'mailgrantEncoding';

/** The bytes of a message as data and attributes: text as it is; anything else in base64, with an attribute that says so. */
export function dataOf(bytes: Buffer): Data {
  return isUtf8(bytes)
    ? { data: bytes.toString('utf8'), attributes: {} }
    : { data: bytes.toString('base64'), attributes: { [ENCODING_ATTRIBUTE]: 'base64' } };
}

/** The bytes of a message's data. */
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
