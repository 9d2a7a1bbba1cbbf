import { emailHeadOf, type Mail } from './try-route.ts';

/** A page that shows an email at phone and desktop width, with its headers and its text part. Scripts in the email do not run. */
export function previewPage(route: string, match: boolean, mail: Mail): string {
  const { subject, html, text } = mail;
  const shown = emailHeadOf(mail).map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`);
  const frame = (width: number): string =>
    `<figure><figcaption>${width} px</figcaption><iframe title="The email at ${width} pixels" sandbox width="${width}" height="900" srcdoc="${escaped(html)}"></iframe></figure>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(subject)} – preview of ${escaped(route)}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 24px; font: 15px/22px system-ui, sans-serif; }
h1 { margin: 0 0 12px; font-size: 18px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 0 0 20px; overflow-wrap: anywhere; }
dt { opacity: .65; } dd { margin: 0; }
.frames { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
figure { margin: 0; max-width: 100%; } figcaption { opacity: .65; }
iframe { max-width: 100%; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 8px; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 14px; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 8px; }
</style>
</head>
<body>
<h1>Route ${escaped(route)}: ${match ? 'match' : 'no match, it would send nothing'}</h1>
<dl>${shown.join('')}</dl>
<div class="frames">${frame(700)}${frame(390)}</div>
<h1>Text part</h1>
<pre>${escaped(text)}</pre>
</body>
</html>
`;
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
