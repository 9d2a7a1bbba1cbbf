require('@google-cloud/functions-framework').http('hello', (_req, res) => res.send('Hello, World!'));
