import { Parser } from 'htmlparser2';

type Support = 'yes' | 'no' | 'partial';

interface Result {
  readonly Name: string;
  readonly Platform: string;
  readonly Family: string;
  readonly Version: string;
  readonly Support: Support;
  readonly NoteNumber: string;
}

interface Warning {
  readonly Slug: string;
  readonly Title: string;
  readonly Description: string;
  readonly URL: string;
  readonly Category: string;
  readonly Tags: readonly string[];
  readonly Keywords: string;
  readonly Results: readonly Result[];
  readonly NotesByNumber: Readonly<Record<string, string>>;
  readonly Score: { readonly Found: number; readonly Supported: number; readonly Partial: number; readonly Unsupported: number };
}

/** Mailpit's `HTMLCheckResponse`: which mail programs do not show features of the html. */
export interface HtmlCheck {
  readonly Warnings: readonly Warning[];
  readonly Platforms: Readonly<Record<string, readonly string[]>>;
  readonly Total: {
    readonly Tests: number;
    readonly Nodes: number;
    readonly Supported: number;
    readonly Partial: number;
    readonly Unsupported: number;
  };
}

/** Mail programs of caniemail.com, by family and platform. */
const CLIENTS = [
  ...['android', 'desktop-webmail', 'ios', 'mobile-webmail'].map((one) => `gmail.${one}`),
  ...['ios', 'macos'].map((one) => `apple-mail.${one}`),
  ...['android', 'ios', 'macos', 'outlook-com', 'windows', 'windows-mail'].map((one) => `outlook.${one}`),
  ...['android', 'desktop-webmail', 'ios'].map((one) => `yahoo.${one}`),
  'thunderbird.macos',
  'samsung-email.android',
  'protonmail.desktop-webmail',
  'fastmail.desktop-webmail',
];

/** Checks the html with the package caniemail; null where it is not installed. */
export async function checkHtml(html: string): Promise<HtmlCheck | null> {
  const library = await import('caniemail').catch(() => null);
  if (!library) return null;
  const { caniemail, rawData } = library;
  const found = new Map<string, Map<string, Support>>();
  const checked: string[] = [];
  for (const client of CLIENTS) {
    try {
      const { issues } = caniemail({ clients: [client as 'gmail.ios'], html });
      for (const [kind, all] of [
        ['no', issues.errors],
        ['partial', issues.warnings],
      ] as const)
        for (const issue of [...all.values()].flat()) {
          const clients = found.get(issue.title) ?? new Map<string, Support>();
          if (clients.get(client) !== 'no') clients.set(client, kind);
          found.set(issue.title, clients);
        }
      checked.push(client);
    } catch {} // caniemail 2.0.2 has no data of this program for a feature of the html
  }
  const nodes = nodesIn(html);
  const Warnings = [...found]
    .map(([title, clients]) => {
      const feature = rawData.data.find((one) => one.title === title || one.title.startsWith(`${title} `));
      const share = (kind: Support): number => percent([...clients.values()].filter((one) => one === kind).length, checked.length);
      const [Unsupported, Partial] = [share('no'), share('partial')];
      return {
        Slug: feature?.slug ?? title,
        Title: title,
        Description: feature?.description ?? '',
        URL: feature?.url ?? '',
        Category: feature?.category === 'html' ? 'html' : 'css',
        Tags: [],
        Keywords: feature?.keywords ?? '',
        Results: checked.map((client) => {
          const [Family = '', Platform = ''] = client.split('.');
          return { Name: `${Family} (${Platform})`, Family, Platform, Version: '', Support: clients.get(client) ?? 'yes', NoteNumber: '' };
        }),
        NotesByNumber: {},
        Score: { Found: 1, Supported: 100 - Partial - Unsupported, Partial, Unsupported },
      } satisfies Warning;
    })
    .sort((a, b) => b.Score.Unsupported - a.Score.Unsupported || b.Score.Partial - a.Score.Partial);
  const worst = (kind: 'Partial' | 'Unsupported'): number => Math.max(0, ...Warnings.map(({ Score }) => Score[kind]));
  const [Unsupported, Partial] = [worst('Unsupported'), worst('Partial')];
  return {
    Warnings,
    Platforms: Object.fromEntries(
      [...Map.groupBy(checked, (client) => client.split('.')[0] ?? '')].map(([family, all]) => [
        family,
        all.map((one) => one.split('.')[1] ?? ''),
      ]),
    ),
    Total: {
      Tests: checked.length * Warnings.length,
      Nodes: nodes,
      Supported: Math.max(0, 100 - Partial - Unsupported),
      Partial,
      Unsupported,
    },
  };
}

const percent = (part: number, whole: number): number => (whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100);

function nodesIn(html: string): number {
  let nodes = 0;
  new Parser({
    onopentag() {
      nodes++;
    },
  }).end(html);
  return nodes;
}
