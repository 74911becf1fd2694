import { describe, expect, it } from 'vitest';
import { decodeGlobalId, encodeGlobalId, localId } from '../../src/core/global-id.ts';

describe('global ids', () => {
  it('come back as they went', () => {
    for (const id of ['1', 'a:b', 'ünï', '0f8fad5b-d9cb-469f-a165-70867728950e']) {
      expect(decodeGlobalId(encodeGlobalId('TrainingRun', id))).toEqual({ type: 'TrainingRun', id });
    }
  });

  it.each(['', 'x', 'Artist:1', 'starter', `${encodeGlobalId('Artist', '1')}=`, encodeGlobalId('artist', '1')])(
    'are not %j',
    (text) => {
      expect(decodeGlobalId(text)).toBeUndefined();
      expect(localId(text, 'Artist')).toBe(text);
    },
  );

  it('are taken apart for their own type only', () => {
    expect(localId(encodeGlobalId('Artist', '1'), 'Artist')).toBe('1');
    expect(localId(encodeGlobalId('Style', '1'), 'Artist')).toBe(encodeGlobalId('Style', '1'));
  });
});
