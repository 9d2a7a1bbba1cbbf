export const DOCTOR_OPTIONS = {
  project: { type: 'string' },
  'service-account': { type: 'string' },
  send: { type: 'boolean' },
  'lose-reply': { type: 'boolean' },
  smtp: { type: 'boolean' },
  settings: { type: 'string' },
  url: { type: 'string' },
} as const;

export const DOCTOR_HELP = `  [ADDRESS]              only this mailbox
  --project ID           project of the secrets (GOOGLE_CLOUD_PROJECT)
  --service-account A    account of a function, which must be able to read the grants (several: a,b)
  --send                 send a mail from the mailbox to itself
  --send --lose-reply    drop the connection before the reply, and ask the session what became of it
  --smtp                 look at a password set-up instead: EMAIL_* variables of the environment
  --smtp --settings FILE … or a Django settings.py, which is read and never run
  --smtp --url URL       … or smtp://user:password@host:port
  --config FILE  --json
Exit code 0 only if all is well. Passwords and tokens are never shown.`;
