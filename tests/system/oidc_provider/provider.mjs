// SPDX-License-Identifier: GPL-3.0-or-later
// An OpenID provider for the system test oidc-login: oidc-provider with a form that believes every name.
//
// usage: node provider.mjs FOLDER, which has
//   provider.json   {"issuer", "port", "key", "certificate", "client_secret", "keys": [JWK, ...]}
//   people.json     {"NAME": {"sub", "groups"}, ...}; read anew at each sign-in

import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

const folder = process.argv[2];
const modules = createRequire(join(process.env.SLIPWAY_NODE_MODULES, 'x.js'));
const { default: Provider } = await import(pathToFileURL(modules.resolve('oidc-provider')));
const settings = JSON.parse(readFileSync(join(folder, 'provider.json'), 'utf8'));
const people = () => JSON.parse(readFileSync(join(folder, 'people.json'), 'utf8'));
const grantTypes = ['authorization_code'];

if (settings.has_device_flow) grantTypes.push('urn:ietf:params:oauth:grant-type:device_code');

const provider = new Provider(settings.issuer, {
  clients: [
    {
      client_id: 'slipway',
      client_secret: settings.client_secret,
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/', 'https://site.example.org/console/signed-in'],
      grant_types: grantTypes,
      response_types: ['code'],
      token_endpoint_auth_method: settings.method ?? 'client_secret_basic',
      id_token_signed_response_alg: settings.keys[0].kty === 'EC' ? 'ES256' : 'RS256',
    },
  ],
  jwks: { keys: settings.keys },
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, deviceFlow: { enabled: settings.has_device_flow === true } },
  cookies: { keys: ['of the test alone'] },
  ttl: { DeviceCode: 600 },
  findAccount: (ctx, name) => {
    const person = people()[name];
    return person && { accountId: name, claims: () => ({ sub: person.sub, preferred_username: name, groups: person.groups }) };
  },
});

provider.on('server_error', (ctx, error) => console.error(error));
createServer({ key: readFileSync(settings.key), cert: readFileSync(settings.certificate) }, provider.callback()).listen(settings.port, '127.0.0.1', () => {
  console.log('ready');
});
