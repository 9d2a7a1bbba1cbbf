/** Stands in for a browser's command: hands the address that it is to open to whoever listens at the first argument. */
await fetch(process.argv[2] ?? '', { method: 'POST', body: process.argv[3] ?? '' });
