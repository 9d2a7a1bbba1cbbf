/** An agent's client of resend-mcp, by the protocol itself: initialise, call the tool that sends, say what it answered. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const { KEY, FROM, SUBJECT, FILE } = process.env;
const server = spawn(process.execPath, ['node_modules/resend-mcp/dist/index.js', '--key', KEY, '--sender', FROM], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const waiting = new Map();
createInterface({ input: server.stdout }).on('line', (line) => {
  const message = JSON.parse(line);
  waiting.get(message.id)?.(message);
});
let count = 0;
const say = (message) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const call = (method, params) =>
  new Promise((done) => {
    waiting.set(++count, done);
    say({ id: count, method, params });
  });
await call('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } });
say({ method: 'notifications/initialized' });
const args = {
  from: `Grün <${FROM}>`,
  to: ['you@example.net'],
  bcc: ['hidden@example.net'],
  subject: SUBJECT,
  text: 'Grüße',
  attachments: [{ filename: 'ü.bin', content: readFileSync(FILE).toString('base64') }],
};
const { result, error } = await call('tools/call', { name: process.env.TOOL ?? 'send-email', arguments: args });
console.log(JSON.stringify(result ?? error));
server.kill();
process.exit(result && !result.isError ? 0 : 1);
