import type { FirstContent } from '../src/domains/spaces/service.js';
import { put } from '../src/domains/tree/store.js';
import { seal } from '../src/domains/tree/value.js';

type Values = Readonly<Record<string, unknown>>;

const beds: Values = {
  '/': { title: 'Garden plan' },
  '/beds/north': { crop: 'beans', sown: '2026-04-12', rows: 6 },
  '/beds/south': { crop: 'tomatoes', sown: '2026-05-20', rows: 4 },
  '/beds/south/notes': ['mulch in June', 'pinch side shoots'],
  '/settings/theme': { mode: 'light', accent: 'green' },
  '/settings/watering': { everyDays: 2, litres: 40 },
};

const handbook: Values = {
  '/welcome': { text: 'Everybody may read this space.' },
  '/tools': ['spade', 'rake', 'watering can'],
};

const today: Values = { '/today': 'Water the south bed.' };

/** What the spaces of the demo world begin with. */
export const trees = { beds: planting(beds), handbook: planting(handbook), today: planting(today) };

function planting(values: Values): FirstContent {
  return async (tx, spaceId) => {
    for (const [path, value] of Object.entries(values)) await put(tx, { spaceId, path }, seal(value), null);
  };
}
