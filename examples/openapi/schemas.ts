import { z } from 'zod';

/** What a client says of a user. */
export const NewUser = z
  .object({
    name: z.string().trim().min(1).max(100),
    mail: z.email().max(200),
    role: z.enum(['reader', 'editor', 'owner']).default('reader'),
  })
  .meta({ id: 'NewUser' });

/** A user as it is kept and shown. Its secret is no part of the schema, so it is never sent. */
export const User = NewUser.extend({
  id: z.int().positive(),
  role: z.enum(['reader', 'editor', 'owner']),
  created: z.iso.datetime(),
}).meta({
  id: 'User',
  examples: [{ id: 1, name: 'Ada', mail: 'ada@example.org', role: 'owner', created: '2026-01-01T00:00:00Z' }],
});

export const Filter = z.object({
  role: z
    .array(z.enum(['reader', 'editor', 'owner']))
    .default([])
    .describe('Only users with one of these roles'),
  limit: z.coerce.number().int().min(1).max(100).default(20).describe('How many, at the most'),
});

export const Conflict = z.object({ why: z.string() }).meta({ id: 'Conflict' });
