import type { IncomingMessage } from 'node:http';

export type Severity = 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';
type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Writes one JSON line per event, in Cloud Logging's format. Callers pass facts: never content, addresses or secrets. */
export type Log = (severity: Severity, event: string, fields: Fields) => void;

export function createLog(write: (line: string) => void = printer()): Log {
  return (severity, event, fields) => write(JSON.stringify({ severity, message: event, event, ...fields }));
}

/**
 * Writes to the stream directly: console.log's hooks and formatter cost several times as much. A closed stream does not end the
 * process.
 */
function printer(): (line: string) => void {
  process.stdout.on('error', () => {});
  return (line) => void process.stdout.write(`${line}\n`);
}

/** The request's trace, under the name by which Cloud Logging groups lines; from `traceparent` or Google's own header. */
export function traceOf({ headers }: IncomingMessage, project: string): Fields {
  const id =
    /^00-([0-9a-f]{32})-/.exec(String(headers['traceparent'] ?? ''))?.[1] ??
    /^([0-9a-f]{32})(?:\/|$)/.exec(String(headers['x-cloud-trace-context'] ?? ''))?.[1];
  return id ? { 'logging.googleapis.com/trace': `projects/${project}/traces/${id}` } : {};
}
