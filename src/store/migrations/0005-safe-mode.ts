/**
 * What a start needs to know of safe mode: whether the life before was in it and had not left it, and which deaths count
 * no more because a later life has left it.
 */
export const safeMode = `
ALTER TABLE lives ADD COLUMN safe_mode TEXT CHECK (safe_mode = 'on' OR safe_mode = 'left');
CREATE INDEX lives_safe_mode ON lives (id) WHERE safe_mode IS NOT NULL;
`;
