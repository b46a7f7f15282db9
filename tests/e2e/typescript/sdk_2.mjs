// What of `@modelcontextprotocol/client` 2.x differs from its predecessor.
import {
    Client,
    SSEClientTransport,
    StreamableHTTPClientTransport,
    UnauthorizedError,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

export { SSEClientTransport, StdioClientTransport, StreamableHTTPClientTransport, UnauthorizedError };

export const createClient = (info, { capabilities, mode }) =>
    new Client(info, { capabilities, versionNegotiation: { mode } });
export const onRequest = (client, method, answer) =>
    client.setRequestHandler(method, request => answer(request.params));
export const onNotification = (client, method, hear) =>
    client.setNotificationHandler(method, notification => hear(notification.params));
export const callTool = (client, params, options) => client.callTool(params, options);
export const finishAuthorization = (transport, callback) => transport.finishAuth(callback);
export const isModern = client => client.getProtocolEra() === 'modern';
