// A real OpenID provider on a free port of the loopback, for tests of single sign-on.
//
//   node provider.mjs < REDIRECT_URI     prints its issuer first, then reads where its client lives
//
// Whoever logs in is the account of that name, with any password: its e-mail address is NAME@example.com, verified
// unless the name begins with "unverified". The forms are the provider's own (devInteractions).
import {createServer} from 'node:http';
import {once} from 'node:events';
import {createInterface} from 'node:readline';
import Provider from 'oidc-provider';

const account = name => ({
  accountId: name,
  claims: () => ({sub: name, email: `${name}@Example.com`, email_verified: !name.startsWith('unverified'), name: `The ${name}`}),
});

const server = createServer((request, response) => handle(request, response));
let handle = (request, response) => response.writeHead(503).end();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${server.address().port}`;
console.log(issuer);

const [redirect] = await once(createInterface({input: process.stdin}), 'line');
const provider = new Provider(issuer, {
  clients: [{
    client_id: 'assay+client',
    client_secret: process.env.CLIENT_SECRET,
    redirect_uris: [redirect],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: process.env.CLIENT_AUTH ?? 'client_secret_basic',
    id_token_signed_response_alg: process.env.CLIENT_ALG ?? 'RS256',
  }],
  ...(process.env.KEYS ? {jwks: JSON.parse(process.env.KEYS)} : {}),
  claims: {openid: ['sub'], email: ['email', 'email_verified'], profile: ['name']},
  conformIdTokenClaims: process.env.IN_TOKEN !== 'yes',
  cookies: {keys: ['test']},
  features: {devInteractions: {enabled: true}},
  pkce: {required: () => true, methods: ['S256']},
  findAccount: (context, name) => account(name),
});
handle = provider.callback();
console.log('ready');
