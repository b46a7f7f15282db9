// What must be the same in two runs against one server: what is asked at another time by another name is not.

// Of the envelope, for this hop: how long an answer may be kept, which revision it is of, who serves it.
const OF_THE_HOP = new Set(['cacheScope', 'resultType', 'ttlMs']);
const META_OF_THE_HOP = /^io\.modelcontextprotocol\//;

export function comparable(value) {
    if (typeof value === 'string') return withoutTime(value);
    if (Array.isArray(value)) return value.map(comparable);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).flatMap(([key, member]) => comparableMember(key, member)));
}

function comparableMember(key, member) {
    if (OF_THE_HOP.has(key) || member === undefined) return [];
    // The same as saying nothing.
    if (key === 'isError' && member === false) return [];
    if (key === 'blob') return [[key, withoutTime(Buffer.from(member, 'base64').toString('latin1'))]];
    if (key !== '_meta') return [[key, comparable(member)]];
    const kept = Object.entries(member).filter(([name]) => !META_OF_THE_HOP.test(name));
    return kept.length ? [[key, comparable(Object.fromEntries(kept))]] : [];
}

/** The server writes the time of day into its resources. */
const withoutTime = text => text.replace(/\d{1,2}:\d{2}:\d{2}\s?[AP]M/g, 'TIME');
