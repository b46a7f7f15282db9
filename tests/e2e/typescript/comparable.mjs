// What must be the same in two runs against one server, at another time and by way of another.

/** The name of the resource that this run adds to a server which other runs ask as well. */
export const ADDED = `${crypto.randomUUID()}.gz`;

// Of the envelope, for this hop: how long an answer may be kept, which revision it is of, who serves it.
const OF_THE_HOP = new Set(['cacheScope', 'resultType', 'ttlMs']);
const META_OF_THE_HOP = /^io\.modelcontextprotocol\/|^progressToken$/;

// What a member means that is left out.
const SAYS_NOTHING = { isError: false, mode: 'form' };

export function comparable(value) {
    if (typeof value === 'string') return lasting(value);
    if (Array.isArray(value)) return value.map(comparable);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => comparableMember(key, member)));
}

function comparableMember(key, member) {
    if (OF_THE_HOP.has(key) || member === undefined) return [];
    if (key in SAYS_NOTHING && member === SAYS_NOTHING[key]) return [];
    if (key === 'blob') return [[key, lasting(Buffer.from(member, 'base64').toString('latin1'))]];
    if (key !== '_meta') return [[key, comparable(member)]];
    const kept = Object.entries(member).filter(([name]) => !META_OF_THE_HOP.test(name));
    return kept.length ? [[key, comparable(Object.fromEntries(kept))]] : [];
}

/** The server writes the time of day into its resources. */
const lasting = text => text.replace(/\d{1,2}:\d{2}:\d{2}\s?[AP]M/g, 'TIME').replaceAll(ADDED, 'ADDED');
