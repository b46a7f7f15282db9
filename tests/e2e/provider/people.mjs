// Who can log in at the provider, and the page on which they do.

const PEOPLE = {
  alice: {
    name: 'Alice Example',
    email: 'alice@example.com',
    email_verified: true,
    groups: ['staff', 'mcp-users'],
    permissions: ['mcp:tools'],
    org_id: 'org_example',
    tid: 'tenant-one',
  },
  // Says of himself that he is of the same company; nobody verified it.
  bob: {
    name: 'Bob Example',
    email: 'bob@example.com',
    email_verified: false,
    groups: ['staff'],
    permissions: [],
    org_id: 'org_example',
    tid: 'tenant-one',
  },
  // Verified, and of another company in every respect.
  carol: {
    name: 'Carol Elsewhere',
    email: 'carol@elsewhere.example',
    email_verified: true,
    groups: ['guests'],
    permissions: [],
    org_id: 'org_elsewhere',
    tid: 'tenant-two',
  },
};

const PASSWORD = 'password';

export const CLAIMS = {
  openid: ['sub', 'groups', 'org_id', 'tid'],
  profile: ['name', 'preferred_username'],
  email: ['email', 'email_verified'],
};

export function personOf(profile, subject) {
  const found = Object.entries(PEOPLE).find(([username]) => profile.subjectOf(username) === subject);
  return found && { preferred_username: found[0], ...found[1] };
}

export function accountOf(profile, subject) {
  const person = personOf(profile, subject);
  return person && { accountId: subject, claims: () => ({ sub: subject, ...person }) };
}

/** The person of these credentials by subject, or undefined. */
export function logIn(profile, { username, password }) {
  return username in PEOPLE && password === PASSWORD ? profile.subjectOf(username) : undefined;
}

export function loginPage(refused) {
  return `<!DOCTYPE html>
<title>Log in at the provider</title>
<h1>Log in at the provider</h1>
${refused ? '<p role="alert">Wrong name or password.</p>' : ''}
<form method="post">
<label>Name <input name="username" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button type="submit">Log in</button>
</form>
<form method="post"><button type="submit" name="cancel" value="yes">Cancel</button></form>
`;
}
