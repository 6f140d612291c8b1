export type { ChannelsStatus } from './carrier.js';
export type { ChannelEventsOptions } from './channel-events.js';
export { Channels, type StatusListener } from './channels.js';
export type { ChannelsOptions } from './channels-options.js';
export { HeldLock, Lock, type LockOptions, type LockWait } from './lock.js';
export type { PublishOptions } from './publish-options.js';
export { type SubscribeOptions, Subscription } from './subscription.js';
export type { ChannelListener } from './subscriptions.js';
