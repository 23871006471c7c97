import { expect, test } from '@jest/globals';
import { goldenTexts } from '../../bench/search/golden.js';
import { hasProse } from '../../src/domains/search/prose.js';

test.each([
  'Water the tomatoes in the morning, please.',
  'name\n“Don’t,” she said — and well-known rules (all of them) followed.',
  'トマトは朝のうちに水をやります。',
  'มะเขือเทศต้องรดน้ำตอนเช้าทุกวัน',
])('%j is running text', (text) => {
  expect(hasProse(text)).toBe(true);
});

test.each([
  '',
  'Anna Maria Schmidt',
  'one\ntwo\nthree\nfour\nfive\nsix\nseven',
  '17 18 19 20 21 22 23 24',
  '/a/b /c/d /e/f /g/h /i/j /k/l /m/n',
  'a@b.example c@d.example e@f.example g@h.example i@j.example k@l.example',
  '2026-11-20T10:00:00Z GET /api/users 200 12ms ok',
  'トマト',
  `${'word'.repeat(20)} `.repeat(10),
])('%j is none', (text) => {
  expect(hasProse(text)).toBe(false);
});

test('a word of nothing but signs takes no time', () => {
  const began = performance.now();
  expect(hasProse(`a${"'".repeat(250_000)}/b`)).toBe(false);
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('the texts of the golden set are running text', () => {
  expect(goldenTexts.filter(({ text }) => !hasProse(text))).toEqual([]);
});
