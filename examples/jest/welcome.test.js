import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startMailgrant } from 'mailgrant/testing';
import { sendWelcome } from './welcome.js';

let mailgrant;
beforeAll(async () => {
  mailgrant = await startMailgrant({ config: { mailboxes: { 'shop@example.com': { name: 'Shop' } } } });
}, 60_000);
afterAll(() => mailgrant.stop());
beforeEach(async () => {
  await mailgrant.clearFaults();
  await mailgrant.inbox.delete();
});

test('a new customer is welcomed, with a link', async () => {
  await sendWelcome('ann@example.net', mailgrant);
  const email = await mailgrant.inbox.wait({ to: 'ann@example.net' });
  expect(email.Subject).toBe('Welcome');
  expect(email.From.Name).toBe('Shop');
  expect(email.Text).toContain('https://shop.example.com/confirm/7');
});

test('a reply that Gmail loses does not welcome anybody twice', async () => {
  await mailgrant.fault('lose-reply');
  await sendWelcome('bob@example.net', mailgrant);
  await sendWelcome('bob@example.net', mailgrant); // the app tries again, under the same key
  expect(await mailgrant.inbox.list({ to: 'bob@example.net' })).toHaveLength(1);
});

test('a dead grant reaches the app as an error', async () => {
  await mailgrant.fault('dead-grant', 'always');
  await expect(sendWelcome('eve@example.net', mailgrant)).rejects.toThrow('not sent: 500');
});
