import type { Config } from '../mail/model/config.ts';

/** Settings that are valid and rarely intended: one sentence each, with what to do. */
export function warningsOf(config: Config, now: number): string[] {
  return [...sharedSecrets(config), ...unseenBounces(config), ...expiredKeys(config, now), ...limitsOverGmail(config)];
}

/** A key whose last day is over opens nothing; its callers hear that it is unknown. */
const expiredKeys = ({ keys }: Config, now: number): string[] =>
  keys.flatMap(({ id, expires }) =>
    expires !== undefined && expires <= now
      ? [
          `keys.${id}.expires: its last day was ${new Date(expires - 1).toISOString().slice(0, 10)}, so the key opens nothing; give a later day, or take the key out`,
        ]
      : [],
  );

// support.google.com/a/answer/166852, support.google.com/mail/answer/22839.
const GMAIL_PER_DAY = { workspace: 2_000, consumer: 500 };

/** A limit that Gmail's own comes before: the mailbox is then locked for up to a day. */
function limitsOverGmail({ mailboxes, keys, routes = [], documents }: Config): string[] {
  const owners = new Map(mailboxes.flatMap((box) => [box.address, ...box.aliases].map((one) => [one, box.address] as const)));
  const most = (from: readonly string[] | null): number =>
    [...new Set(from === null ? owners.values() : from.flatMap((one) => owners.get(one) ?? []))].reduce(
      (sum, one) => sum + ofGmail(one),
      0,
    );
  const over = (at: string, perDay: number | null | undefined, max: number): string[] =>
    perDay && perDay > max
      ? [`${at}.perDay: ${perDay} is more than Gmail sends in a day (${max}), and then it locks the mailbox for up to a day; give less`]
      : [];
  return [
    ...mailboxes.flatMap(({ address, limits }) => over(`mailboxes."${address}".limits`, limits?.perDay, ofGmail(address))),
    ...keys.flatMap(({ id, from, limits }) => over(`keys.${id}.limits`, limits?.perDay, most(from))),
    ...routes.flatMap(({ name, from, limits }) => over(`routes.${name}.limits`, limits?.perDay, most([from.address]))),
    ...(documents ? over('documents.limits', documents.limits?.perDay, most(documents.from)) : []),
  ];
}

const ofGmail = (address: string): number => GMAIL_PER_DAY[/@(gmail|googlemail)\.com$/.test(address) ? 'consumer' : 'workspace'];

function sharedSecrets({ routes = [] }: Config): string[] {
  const users = Map.groupBy(
    routes.flatMap(({ name, hook }) => (hook && hook.secret !== '' ? [{ name, hook }] : [])),
    ({ hook }) => hook.secret,
  );
  return [...users].flatMap(([secret, shared]) => {
    if (shared.length < 2) return [];
    const names = shared.map(({ name }) => name).join(', ');
    const schemes = [...new Set(shared.map(({ hook }) => hook.verify))];
    const under = schemes.length > 1 ? `, under ${schemes.length} schemes (${schemes.join(', ')})` : '';
    return [
      `routes ${names} share the secret ${secret}${under}: a request that is genuine at one is genuine at each of them; give each route a secret of its own`,
    ];
  });
}

const unseenBounces = ({ mailboxes, suppress }: Config): string[] =>
  suppress && !mailboxes.some(({ bounces }) => bounces)
    ? ['suppress.bounced: no mailbox has `bounces: true`, so only what `mailgrant suppression add` names is refused']
    : [];
