// What of `@modelcontextprotocol/sdk` 1.x differs from its successor.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as types from '@modelcontextprotocol/sdk/types.js';

const REQUESTS = {
    'elicitation/create': types.ElicitRequestSchema,
    'roots/list': types.ListRootsRequestSchema,
    'sampling/createMessage': types.CreateMessageRequestSchema,
};
const NOTIFICATIONS = {
    'notifications/message': types.LoggingMessageNotificationSchema,
    'notifications/prompts/list_changed': types.PromptListChangedNotificationSchema,
    'notifications/resources/list_changed': types.ResourceListChangedNotificationSchema,
    'notifications/resources/updated': types.ResourceUpdatedNotificationSchema,
    'notifications/tools/list_changed': types.ToolListChangedNotificationSchema,
};

export { SSEClientTransport, StdioClientTransport, StreamableHTTPClientTransport, UnauthorizedError };

export const createClient = (info, { capabilities }) => new Client(info, { capabilities });
export const onRequest = (client, method, answer) =>
    client.setRequestHandler(REQUESTS[method], request => answer(request.params));
export const onNotification = (client, method, hear) =>
    client.setNotificationHandler(NOTIFICATIONS[method], notification => hear(notification.params));
export const callTool = (client, params, options) => client.callTool(params, undefined, options);
export const finishAuthorization = (transport, callback) => transport.finishAuth(callback.get('code'));
export const isModern = () => false;
