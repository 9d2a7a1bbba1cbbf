import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reconcile, sendReleased, waitsForRest } from '../../../functions/mail/delivery/operator-decisions.ts';
import type { Submission } from '../../../functions/mail/delivery/submission.ts';
import { prepareEmail } from '../../../functions/mail/message/prepared-email.ts';
import { send } from '../../../functions/mail/queue/process-message.ts';
import { world } from '../../explore/world.ts';
import { CONFIG, MAIL, MAILBOX } from '../../support/stack/laptop.ts';

const [mailbox] = CONFIG.mailboxes;
if (!mailbox) throw new Error('the config has a mailbox');
const order: Submission = { body: MAIL, caller: { id: 'shop', from: [MAILBOX], to: null }, key: 'k', retryFailed: true };

for (const by of ['its person', 'its caller'])
  test(`what Gmail waits for the rest of goes on in the same session, by ${by}: bytes that are late make no second mail`, async () => {
    const ports = world();
    const { upload: transfer } = ports;
    const begun: string[] = [];
    ports.openSession = async () => `session-${begun.push('open')}`;
    ports.upload = () => new Promise(() => {}); // its holder stands still with the letter in its hands
    send(order, CONFIG, ports).catch(() => {});
    while ([...ports.ledger.entries.values()][0]?.entry.state !== 'sending') await new Promise(setImmediate);
    ports.clock += ports.leaseMs + 1;
    const [there] = ports.ledger.entries.values();
    assert.ok(there);
    const asked = await reconcile(there, mailbox, ports);
    assert.deepEqual([waitsForRest(asked), asked.entry.sessionUri], [true, 'session-1']);
    ports.upload = transfer;
    const draft = prepareEmail(MAIL, order.caller, CONFIG, ports);
    const outcome = by === 'its person' ? await sendReleased(asked, draft, ports) : await send(order, CONFIG, ports);
    // A session that its caller's request has opened beside the claim gets no bytes.
    assert.deepEqual([outcome.state, ports.sent], ['sent', ['session-1']]);
  });
