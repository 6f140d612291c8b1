/** A process that sends back what it gets: what scripts/channels/run.mjs compares with. */
process.on('message', (message) => process.send(message));
